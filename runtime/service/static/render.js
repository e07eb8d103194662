// An answer's text as elements: paragraphs, lists, emphasis. Builds nodes only, so no answer can ever become markup.

const NUMBERED = /^\s*(\d{1,3})[.)、．]\s*(.*)$/;
const BULLET = /^\s*[-*•]\s+(.*)$/;

export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

// Replaces what is in `target` by the text.
export function renderText(target, text) {
  const blocks = [];
  let list = null;
  let paragraph = null;
  for (const line of text.split("\n")) {
    const numbered = NUMBERED.exec(line);
    const bullet = numbered ? null : BULLET.exec(line);
    if (numbered || bullet) {
      const tag = numbered ? "OL" : "UL";
      if (list?.tagName !== tag) {
        list = element(tag);
        if (numbered) list.start = Number(numbered[1]);
        blocks.push(list);
      }
      const item = element("li");
      inline(item, numbered ? numbered[2] : bullet[1]);
      list.append(item);
      paragraph = null;
    } else if (!line.trim()) {
      paragraph = null; // an empty line between two items does not end their list
    } else {
      if (paragraph) paragraph.append(element("br"));
      else blocks.push((paragraph = element("p")));
      inline(paragraph, line);
      list = null;
    }
  }
  target.replaceChildren(...blocks);
}

// **bold** and *emphasis*; a pair that is still open while the answer streams stays as it is.
function inline(target, text) {
  let end = 0;
  for (const match of text.matchAll(/\*\*(\S.*?)\*\*|\*(\S[^*]*?)\*/g)) {
    target.append(text.slice(end, match.index), match[1] ? element("strong", "", match[1]) : element("em", "", match[2]));
    end = match.index + match[0].length;
  }
  target.append(text.slice(end));
}
