/* A PKCS#11 library that is another one, and fails or delays the functions that a file names.

   YINXIN_FAULTY_REAL is the path of the real library. YINXIN_FAULTY_PLAN is a file of lines `function code milliseconds`:
   the function by its place in CK_FUNCTION_LIST (PKCS#11 v2.40, 3.6), the CKR_ code it returns (0: what the real one
   returns), and how long it waits first; with -1, until another plan is there. The file is read at every call. */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FUNCTIONS 68

typedef unsigned long (*function)(long, long, long, long, long, long, long, long);
struct list { unsigned char version[2]; function each[FUNCTIONS]; };

static struct list *real;
static struct list ours;

static void read_plan(int number, unsigned long *found, long *waits)
{
    const char *path = getenv("YINXIN_FAULTY_PLAN");
    FILE *plan = path ? fopen(path, "r") : NULL;
    int wanted;
    unsigned long code;
    long wait;
    *found = 0;
    *waits = 0;
    if (!plan) return;
    while (fscanf(plan, "%d %lx %ld", &wanted, &code, &wait) == 3)
        if (wanted == number) { *found = code; *waits = wait; }
    fclose(plan);
}

static unsigned long planned(int number, long a, long b, long c, long d, long e, long f, long g, long h)
{
    unsigned long found;
    long waits;
    for (read_plan(number, &found, &waits); waits < 0; read_plan(number, &found, &waits)) usleep(1000);
    if (waits) usleep(1000 * waits);
    return found ? found : real->each[number](a, b, c, d, e, f, g, h);
}

#define EACH(n) static unsigned long f##n(long a, long b, long c, long d, long e, long f, long g, long h) \
    { return planned(n, a, b, c, d, e, f, g, h); }
EACH(12) EACH(18) EACH(20) EACH(26) EACH(30) EACH(34) EACH(42) EACH(43) EACH(58) EACH(59)

unsigned long C_GetFunctionList(struct list **told)
{
    if (!real) {
        void *library = dlopen(getenv("YINXIN_FAULTY_REAL"), RTLD_NOW | RTLD_LOCAL);
        unsigned long (*get)(struct list **) = library ? dlsym(library, "C_GetFunctionList") : NULL;
        if (!get || get(&real)) return 5;
        memcpy(&ours, real, sizeof ours);
#define PUT(n) ours.each[n] = f##n;
        PUT(12) PUT(18) PUT(20) PUT(26) PUT(30) PUT(34) PUT(42) PUT(43) PUT(58) PUT(59)
    }
    *told = &ours;
    return 0;
}
