#!/usr/bin/env python3
"""extract.py FOLDER INVENTORY NUMBER... - what RFCs demand, one line a sentence.

Reads FOLDER/rfcNUMBER.txt, the plain text of the RFC Editor, and writes INVENTORY/rfcNUMBER.tsv with a line for every
sentence that has MUST, MUST NOT, SHALL, SHALL NOT or REQUIRED in it:

    RFC3261-8.1.1.7-2 <tab> 8.1.1.7 <tab> The sentence.

The last number of an id counts the sentences of its section. An RFC never changes, so an id is stable as long as this
script reads the text in the same way: a change that moves ids is a change of every file here.
"""

import pathlib
import re
import sys

DEMAND = re.compile(r"\b(MUST|SHALL|REQUIRED)\b")
NOT_A_DEMAND = re.compile(r"\b(NOT|not) REQUIRED\b")
# The paragraph that says what the words mean, and words that are only named.
QUOTED = re.compile(r"[\"'](MUST|SHALL|REQUIRED)( NOT)?[,.]?[\"']")

HEADING = re.compile(r"(?:Appendix )?(\d+(?:\.\d+)*|[A-Z](?:\.\d+)*)\.?(?:  ?|: )\S|(?:Appendix )([A-Z])\b")
# From here on nothing is demanded of an implementation.
UNNUMBERED = re.compile(r"(Acknowledge?ments|Author's Address|Authors' Addresses|Full Copyright|Normative Ref|References|"
                        r"Informative Ref|Intellectual Property|Contributors|Index)\b")
ABSTRACT = re.compile(r"(Abstract|Table of Contents|Status of [Tt]his Memo|Copyright Notice)\b")

FOOTER = re.compile(r".*\[[Pp]age \w+\]\s*$")
HEADER = re.compile(r"RFC \d+ .*\b\d{4}\s*$")

ITEM = re.compile(r"(?:[o*+•-]|\(?\d{1,2}[.)]|\(?[a-z]\)|[a-z]\.|\[\d{1,2}\])\s+")
ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|cf|etc|vs|resp|Sec|Fig|No|al)|\b[A-Z])\.$")
END = re.compile(r"[.!?][\"')\]]*(?=\s)")


def indent(line):
    return len(line) - len(line.lstrip())


def without_pages(text):
    """The lines, with the foot and head of each page and the blank lines around them taken out."""
    lines, pending, broken = [], 0, False
    for line in text.replace("\ufeff", "").replace("\f", "\n").split("\n"):
        line = line.rstrip()
        if FOOTER.match(line) or HEADER.match(line):
            broken = True
        elif not line:
            pending += 1
        else:
            # A page may end in the middle of a sentence; its blank lines then separate nothing.
            goes_on = broken and lines and not re.search(r"[.:;!?][\"')]*$", lines[-1]) and 0 < indent(lines[-1]) <= indent(line)
            if pending and not goes_on:
                lines.append("")
            lines.append(line)
            pending, broken = 0, False
    return lines


def sections(lines):
    """Pairs of section number and lines; what comes before section 1 and after the last is left out."""
    number, body = None, []
    for line in lines:
        if line[:1].strip():
            heading = HEADING.match(line)
            if heading or UNNUMBERED.match(line) or ABSTRACT.match(line):
                if number:
                    yield number, body
                number, body = (heading.group(1) or heading.group(2), []) if heading else (None, [])
                continue
        if number:
            body.append(line)
    if number:
        yield number, body


def paragraphs(lines):
    """Paragraphs and list items, each one line, without the mark of an item."""
    block = []

    def flush():
        text = re.sub(r"(?<=\w)-\n(?=\w)", "-", "\n".join(block)).replace("\n", " ")
        block.clear()
        return ITEM.sub("", text, count=1) if ITEM.match(text) else text

    for line in [*lines, ""]:
        text = line.strip()
        if block and (not text or ITEM.match(text) and starts_item(block[-1])):
            yield flush()
        if text and not is_abnf(line):
            block.append(text)


def starts_item(before):
    """A line that looks like an item is one only where a sentence may begin."""
    return bool(re.search(r"[.:;,!?][\"')]*$|\b(and|or)$", before))


def is_abnf(line):
    return bool(re.match(r"\s*[A-Za-z][\w-]*\s+=/?\s+(\"|\(|\*|\d\*|\[|[A-Za-z%])", line)) and not re.search(
        r"\b(MUST|SHALL)\b", line.split(";")[0])


def sentences(paragraph):
    begin = 0
    for end in END.finditer(paragraph):
        following = paragraph[end.end():].lstrip()
        if not following or not re.match(r"[\"'(\[]*[A-Z0-9<`*]", following):
            continue
        if ABBREVIATION.search(paragraph[begin:end.end()]):
            continue
        yield paragraph[begin:end.end()]
        begin = end.end()
    yield paragraph[begin:]


def demands(text):
    """Section and sentence of each demand, in order."""
    for number, body in sections(without_pages(text)):
        for paragraph in paragraphs(body):
            for sentence in sentences(paragraph):
                sentence = re.sub(r"\s+", " ", sentence).strip()
                rest = NOT_A_DEMAND.sub("", QUOTED.sub("", sentence))
                if DEMAND.search(rest):
                    yield number, sentence


def main(folder, inventory, *numbers):
    for rfc in numbers:
        text = pathlib.Path(folder, f"rfc{rfc}.txt").read_text(encoding="utf-8", errors="replace")
        counts, lines = {}, []
        for section, sentence in demands(text):
            counts[section] = counts.get(section, 0) + 1
            lines.append(f"RFC{rfc}-{section}-{counts[section]}\t{section}\t{sentence}\n")
        pathlib.Path(inventory, f"rfc{rfc}.tsv").write_text("".join(lines), encoding="utf-8")
        print(f"RFC {rfc}: {len(lines)}")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
