
"use strict";
(() => {
  // seconds; a file made to keep its reader busy is not judged for ever
  const LONGEST = 120;
  const PLACES = { vkey: "log", policy: "policy", ers: "record", pem: "roots", crt: "roots", cer: "roots", toml: "algorithms" };
  const TITLE = { zh: "离线核验 · 印信 Yinxin", en: "Offline verification · Yinxin 印信" };
  const by = (id) => document.getElementById(id);
  const inputs = ["file", "log", "policy", "record", "roots", "algorithms"].map(by);

  /** An element with these children: elements, or text in both languages as [Chinese, English], or text as it is. */
  function made(kind, attributes, ...children) {
    const element = document.createElement(kind);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    for (const child of children) {
      if (!Array.isArray(child)) element.append(child);
      else if (child[0] === child[1]) element.append(child[0]);
      else child.forEach((text, place) => element.append(made("span", { lang: place ? "en" : "zh-CN" }, text)));
    }
    return element;
  }

  function speak(language) {
    document.documentElement.lang = language === "en" ? "en" : "zh-CN";
    document.title = TITLE[language];
    for (const each of ["zh", "en"]) by(each).setAttribute("aria-pressed", String(each === language));
  }

  function point(event, over) {
    event.preventDefault();
    document.body.classList.toggle("over", over);
  }

  function dropped(event) {
    point(event, false);
    const groups = new Map();
    for (const each of event.dataTransfer.files) {
      const id = PLACES[each.name.split(".").at(-1).toLowerCase()] ?? "file";
      groups.set(id, [...(groups.get(id) ?? []), each]);
    }
    for (const [id, files] of groups) {
      const kept = new DataTransfer();
      files.slice(by(id).multiple ? 0 : -1).forEach((each) => kept.items.add(each));
      by(id).files = kept.files;
      if (by(id).closest("details")) by(id).closest("details").open = true;
    }
  }

  /** Octets of the files of one input, with a line's end between them; null when none was chosen. */
  async function read(input) {
    if (!input.files.length) return null;
    if (!input.multiple) return new Uint8Array(await input.files[0].arrayBuffer());
    return new Uint8Array(await new Blob([...input.files].flatMap((each) => [each, "\n"])).arrayBuffer());
  }

  /** What the engine says, in a thread of its own so that it can be stopped; where there is none, here. */
  function asked(given) {
    let worker;
    try {
      worker = new Worker(URL.createObjectURL(new Blob([by("engine").textContent], { type: "text/javascript" })));
    } catch {
      return new Promise((answer) => setTimeout(() => answer(globalThis.judged(given)), 50));
    }
    return new Promise((answer, fail) => {
      const clock = setTimeout(() => fail(new Error("time")), LONGEST * 1000);
      worker.onmessage = ({ data }) => answer(data);
      worker.onerror = (event) => fail(new Error(event.message));
      worker.postMessage(given);
      worker.done = () => clearTimeout(clock);
    }).finally(() => {
      worker.done();
      worker.terminate();
    });
  }

  function wanting() {
    const wrong = [];
    const need = (id, so, texts) => {
      by(`${id}-error`).replaceChildren(...(so ? [] : [made("span", {}, texts)]));
      by(id).setAttribute("aria-invalid", String(!so));
      if (!so) wrong.push(id);
    };
    need("file", by("file").files.length, ["请选择要核验的文件。", "Choose the file to check."]);
    need("log", by("log").files.length, ["请选择日志公钥。", "Choose the log's key."]);
    const rooted = !by("record").files.length || by("roots").files.length;
    need("roots", rooted, ["核验证据记录须选择根证书。", "An evidence record needs the roots of timestamp authorities."]);
    if (wrong.length) {
      if (by(wrong[0]).closest("details")) by(wrong[0]).closest("details").open = true;
      by(wrong[0]).focus();
    }
    return wrong.length > 0;
  }

  function step(kind, mark, spoken, text) {
    return made(
      "li",
      { class: kind },
      made("span", { class: "mark", "aria-hidden": "true" }, mark),
      made("span", { class: "unseen" }, spoken),
      text,
    );
  }

  /** What was not judged is said once: a bundle says of every entry that no policy was given. */
  function once(said) {
    const seen = new Set();
    return said.filter(({ zh, judged }) => judged || (!seen.has(zh) && seen.add(zh)));
  }

  function show({ said: every, refusal, unable, sha256, sm3 }, file, at) {
    const said = once(every);
    const open = said.filter((each) => !each.judged).length;
    const [kind, mark] = refusal ? ["wrong", "✗"] : open ? ["part", "✓"] : ["good", "✓"];
    const words = refusal
      ? unable
        ? ["无法核验", "This cannot be checked"]
        : ["核验不成立", "This does not hold"]
      : open
        ? [`所判断的都成立；另有 ${open} 项未作判断`, `Everything that was judged holds; ${open} more not judged`]
        : ["全部成立", "Everything holds"];
    const steps = said.map(({ zh, en, judged }) =>
      judged
        ? step("held", "✓", ["成立：", "Holds: "], [zh, en])
        : step("unjudged", "!", ["未判断：", "Not judged: "], [zh, en]),
    );
    const fact = (name, value) => [made("dt", {}, name), made("dd", {}, value)];
    const result = by("result");
    result.className = kind;
    result.replaceChildren(
      made("h2", { id: "verdict" }, made("span", { "aria-hidden": "true" }, `${mark} `), words),
      ...(refusal ? [made("p", { class: "why" }, [refusal.zh, refusal.en])] : []),
      ...(refusal
        ? [made("p", {}, ["未经核验成立的文件，不要采信。", "Do not rely on a file that was not found to hold."])]
        : []),
      ...(steps.length ? [made("h3", {}, ["逐项说明", "One by one"]), made("ol", { class: "chain" }, ...steps)] : []),
      made(
        "dl",
        {},
        ...fact(["文件", "File"], [`${file.name}（${file.size} 字节）`, `${file.name} (${file.size} octets)`]),
        ...(sha256 ? fact("SHA-256", made("code", {}, sha256)) : []),
        ...(sm3 ? fact("SM3", made("code", {}, sm3)) : []),
        ...fact(["核验时刻", "Judged at"], made("time", { datetime: at.toISOString() }, at.toISOString())),
      ),
    );
    result.hidden = false;
    result.focus();
    result.scrollIntoView();
  }

  const STOPPED = {
    said: [],
    unable: true,
    refusal: {
      zh: `核验未能完成：文件过大或有意拖延，本页在 ${LONGEST} 秒后停止。`,
      en: `The check could not be finished: the file is too large, or made to keep its reader busy; this page stops after ${LONGEST} seconds.`,
    },
  };

  async function submitted(event) {
    event.preventDefault();
    if (wanting()) return;
    const [file] = by("file").files;
    const at = new Date();
    by("go").disabled = true;
    by("busy").replaceChildren(made("span", {}, ["正在核验……", "Checking…"]));
    by("result").hidden = true;
    try {
      const given = { at: BigInt(at.getTime()) * 1000n };
      for (const input of inputs) given[input.id] = await read(input);
      show(await asked(given), file, at);
    } catch (error) {
      show(STOPPED, file, at);
      throw error;
    } finally {
      by("go").disabled = false;
      by("busy").replaceChildren();
    }
  }

  if (!globalThis.judged) {
    by("go").disabled = true;
    by("busy").append(made("span", {}, ["此浏览器过旧，不能核验。", "This browser is too old to verify."]));
  }
  for (const language of ["zh", "en"]) by(language).addEventListener("click", () => speak(language));
  document.addEventListener("dragover", (event) => point(event, true));
  document.addEventListener("dragleave", (event) => point(event, false));
  document.addEventListener("drop", dropped);
  by("form").addEventListener("submit", submitted);
})();
