"""The system's OpenSSL 3, reached by cffi without compiling anything.

Only what SM2 and PKCS#12 need is declared. cffi releases the interpreter lock around every call. OpenSSL's error queue belongs to
the calling thread, so a failure is read where it happened.
"""

from functools import cache
from typing import Any

from cffi import FFI

from yinxin.crypto.errors import CryptoFailure, LibcryptoMissing

LIBRARY = "libcrypto.so.3"

_DECLARATIONS = """
typedef struct evp_pkey_st EVP_PKEY;
typedef struct evp_pkey_ctx_st EVP_PKEY_CTX;
typedef struct p8_st PKCS8_PRIV_KEY_INFO;

unsigned long ERR_get_error(void);
void ERR_error_string_n(unsigned long e, char *buf, size_t len);
void ERR_clear_error(void);
void CRYPTO_clear_free(void *p, size_t len, const char *file, int line);
void CRYPTO_free(void *p, const char *file, int line);
void OPENSSL_cleanse(void *p, size_t len);

EVP_PKEY_CTX *EVP_PKEY_CTX_new_from_name(void *libctx, const char *name, const char *propq);
EVP_PKEY_CTX *EVP_PKEY_CTX_new(EVP_PKEY *pkey, void *engine);
void EVP_PKEY_CTX_free(EVP_PKEY_CTX *ctx);
void EVP_PKEY_free(EVP_PKEY *pkey);
int EVP_PKEY_keygen_init(EVP_PKEY_CTX *ctx);
int EVP_PKEY_generate(EVP_PKEY_CTX *ctx, EVP_PKEY **pkey);
int EVP_PKEY_is_a(const EVP_PKEY *pkey, const char *name);
int EVP_PKEY_public_check(EVP_PKEY_CTX *ctx);
int EVP_PKEY_check(EVP_PKEY_CTX *ctx);

int EVP_PKEY_sign_init(EVP_PKEY_CTX *ctx);
int EVP_PKEY_sign(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *outlen, const unsigned char *in, size_t inlen);
int EVP_PKEY_verify_init(EVP_PKEY_CTX *ctx);
int EVP_PKEY_verify(EVP_PKEY_CTX *ctx, const unsigned char *sig, size_t siglen, const unsigned char *in, size_t inlen);
int EVP_PKEY_encrypt_init(EVP_PKEY_CTX *ctx);
int EVP_PKEY_encrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *outlen, const unsigned char *in, size_t inlen);
int EVP_PKEY_decrypt_init(EVP_PKEY_CTX *ctx);
int EVP_PKEY_decrypt(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *outlen, const unsigned char *in, size_t inlen);

EVP_PKEY *d2i_PUBKEY(EVP_PKEY **a, const unsigned char **in, long length);
int i2d_PUBKEY(const EVP_PKEY *a, unsigned char **out);
PKCS8_PRIV_KEY_INFO *d2i_PKCS8_PRIV_KEY_INFO(PKCS8_PRIV_KEY_INFO **a, const unsigned char **in, long length);
int i2d_PKCS8_PRIV_KEY_INFO(const PKCS8_PRIV_KEY_INFO *a, unsigned char **out);
void PKCS8_PRIV_KEY_INFO_free(PKCS8_PRIV_KEY_INFO *a);
EVP_PKEY *EVP_PKCS82PKEY(const PKCS8_PRIV_KEY_INFO *p8);
PKCS8_PRIV_KEY_INFO *EVP_PKEY2PKCS8(const EVP_PKEY *pkey);

typedef struct evp_md_st EVP_MD;
const EVP_MD *EVP_sha256(void);
int PKCS12_key_gen_uni(unsigned char *pass, int passlen, unsigned char *salt, int saltlen, int id, int iter,
                       int n, unsigned char *out, const EVP_MD *md_type);
"""

ffi = FFI()
ffi.cdef(_DECLARATIONS)


@cache
def library() -> Any:
    """The loaded library; raises LibcryptoMissing when it is not there or was built without SM2."""
    try:
        loaded: Any = ffi.dlopen(LIBRARY)
    except OSError as error:
        raise LibcryptoMissing(library=LIBRARY, reason=str(error)) from error
    probe = loaded.EVP_PKEY_CTX_new_from_name(ffi.NULL, b"SM2", ffi.NULL)
    if probe == ffi.NULL:
        raise LibcryptoMissing(library=LIBRARY, reason="built without SM2")
    loaded.EVP_PKEY_CTX_free(probe)
    return loaded


def reason() -> str:
    """The newest entry of this thread's error queue, and an empty queue after it."""
    loaded, text = library(), ffi.new("char[256]")
    loaded.ERR_error_string_n(loaded.ERR_get_error(), text, 256)
    loaded.ERR_clear_error()
    return bytes(ffi.buffer(text)).partition(b"\0")[0].decode("ascii", "replace")


def must(result: Any, operation: str) -> Any:
    """`result` unless it is OpenSSL's way of saying no, a null pointer or a number below one: then CryptoFailure."""
    failed = result == ffi.NULL if isinstance(result, ffi.CData) else result < 1
    if failed:
        raise CryptoFailure(operation=operation, reason=reason())
    return result


def take_der(encode: Any, thing: Any, operation: str) -> bytes:
    """Run an `i2d_…` function that allocates its output; the C copy is wiped before it is freed."""
    out = ffi.new("unsigned char **")
    size = must(encode(thing, out), operation)
    try:
        return bytes(ffi.buffer(out[0], size))
    finally:
        library().CRYPTO_clear_free(out[0], size, b"", 0)


def cleanse(secret: bytes | bytearray) -> None:
    """Overwrite a secret in place, in a way that no compiler leaves out.

    Python calls `bytes` immutable: only for octets that nothing else refers to any more. A single octet is left as it is:
    Python keeps one object for each and gives it to everybody.
    """
    if len(secret) > 1:
        library().OPENSSL_cleanse(ffi.cast("void *", ffi.from_buffer(secret)), len(secret))
