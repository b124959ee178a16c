"""Tool calls that a model wrote down as text, where nothing else records them.

Models without tool calls of their own are told in the prompt to write ``Action:`` and ``Action
Input:`` (ReAct: Yao et al. 2022) or to put JSON between marks: ``<tool_call>`` (Hermes, Qwen),
``<function=NAME>`` (Llama, Qwen coder). What looks like a call is one only if a later model call
was told its result, under the same model's words, and if the tool's name stands in the prompt or
among the tools offered. So an explanation of how to call a tool, or an example, stays text. A
tool with spans of its own is not looked for. Messages are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from anonymize.assembly.duplicates import same_name
from anonymize.assembly.nodes import Node
from anonymize.conventions.message import text_of
from anonymize.conventions.values import as_dict, structured, unquoted
from anonymize.trace import Json, Message, ToolDefinition, ToolRequest

_REACT = re.compile(
    r"^[ \t*]*Action[ \t*]*:[ \t*]*`?([\w.:/-]{1,128})`?[ \t*]*\r?\n"
    r"[ \t*]*Action[ _]Input[ \t*]*:[ \t*]*(.*?)(?=^[ \t*]*Observation[ \t*]*:|\Z)",
    re.M | re.S,
)
_NAME = re.compile(r"[\w.:/-]{1,128}")
_MARKS = ("<tool_call>", "<function=", "Action")
#: How a result is told in words, in a message of its own, and what may stand before the colon.
_TOLD = re.compile(
    r"\s*(?:\*\*)?(?:Observation|Tool (?:result|response|output|call result))s?(?:\*\*)?"
    r"([^:\n]{0,80}):\s*",
    re.I,
)
_GOES_ON = re.compile(r"^[ \t]*(?:Thought|Action|Question|Final Answer)[ \t]*:", re.M)
_OBSERVED = re.compile(r"\s*Observation[ \t]*:[ \t]*")
#: A result is told in one of the next calls; longer texts and more calls at once are made up.
_AHEAD = 8
_LONGEST = 200_000
_MOST = 64


def written_calls(
    nodes: Sequence[Node], llms: Sequence[Node]
) -> Iterator[tuple[Node, ToolRequest, Message]]:
    """Calls with the model call that asked for them and the words that told their result."""
    recorded = {n.reading.name for n in nodes if n.kind == "tool"}
    offered = {tool.name: tool for llm in llms for tool in llm.reading.tools}
    for index, llm in enumerate(llms):
        said = llm.reading.output[-1] if llm.reading.output else None
        if said is None or any(m.tool_requests for m in llm.reading.output):
            continue
        text = text_of(said)
        if len(text) > _LONGEST or not any(mark in text for mark in _MARKS):
            continue
        requests, words = requests_in(text, offered)
        if not requests or any(same_name(r.name, name) for r in requests for name in recorded):
            continue
        prompt = "\n".join(text_of(m) for m in llm.reading.input)
        if not all(r.name in offered or _is_word(r.name, prompt) for r in requests):
            continue
        for later in llms[index + 1 : index + 1 + _AHEAD]:
            if _is_again(later, llm):
                break  # the first answer was lost or unusable: the call is that of the later one
            told = _told(later.reading.input, words, [r.name for r in requests])
            if told:
                for request, answer in zip(requests, told, strict=True):
                    yield llm, request, answer
                break


def requests_in(
    text: str, offered: dict[str, ToolDefinition] | None = None
) -> tuple[list[ToolRequest], str]:
    """The calls written in ``text``, and its part up to their end: what follows is made up."""
    found: list[ToolRequest] = []
    end = len(text)
    for tagged in _blocks(text, "<tool_call>", "</tool_call>"):
        inner = next(_blocks(tagged, "<function=", "</function>"), None)
        request = _json_call(tagged) if inner is None else _function(inner)
        if request is None:
            return [], text
        found.append(request)
    if not found:
        written = _blocks(text, "<function=", "</function>")
        found = [r for block in written if (r := _function(block)) is not None]
    if not found and (react := _REACT.search(text)) is not None:
        given = _given(react[2], (offered or {}).get(react[1]))
        found, end = [ToolRequest(name=react[1], arguments=given)], react.end()
    return found, text[:end].strip()


def _json_call(text: str) -> ToolRequest | None:
    box = as_dict(structured(text.strip(), set()))
    name = box.get("name")
    if not isinstance(name, str) or not name:
        return None
    given = box.get("arguments", box.get("parameters"))
    given = structured(given, set())
    return ToolRequest(name=name, arguments={} if given is None else given)


def _blocks(text: str, opening: str, closing: str) -> Iterator[str]:
    """What stands between marks; the last may have no end. Linear, whatever the text."""
    start = text.find(opening)
    for _ in range(_MOST):
        if start < 0:
            return
        start += len(opening)
        end = text.find(closing, start)
        yield text[start:] if end < 0 else text[start:end]
        if end < 0:
            return
        start = text.find(opening, end)


def _function(block: str) -> ToolRequest | None:
    """``NAME>{...}`` (Llama), or ``NAME>`` and ``<parameter=KEY>VALUE</parameter>`` (Qwen)."""
    name, _, body = block.partition(">")
    if _NAME.fullmatch(name) is None:
        return None
    parameters: dict[str, Json] = {}
    for parameter in _blocks(body, "<parameter=", "</parameter>"):
        key, _, value = parameter.partition(">")
        parameters[key] = _value(value)
    if parameters:
        return ToolRequest(name=name, arguments=parameters)
    given = structured(body.strip(), set())
    if isinstance(given, str) and given:
        return None
    return ToolRequest(name=name, arguments=given or {})


def _value(text: str) -> Json:
    """A parameter's value: JSON if it is an object or a list, else the text without its lines."""
    return structured(text.strip("\r\n"), set())


def _given(text: str, tool: ToolDefinition | None) -> Json:
    """ReAct's input: JSON, or the words for the only parameter of a tool."""
    text = text.strip().removeprefix("```json").removeprefix("```").removesuffix("```").strip()
    given = structured(text, set())
    if not isinstance(given, str):
        return given
    words = unquoted(given)
    known = as_dict(as_dict(tool.parameters).get("properties")) if tool else {}
    return {next(iter(known)): words} if len(known) == 1 else words


def _is_word(name: str, prompt: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", prompt) is not None


def _is_again(later: Node, earlier: Node) -> bool:
    """Whether a model was asked the same once more, and said the same."""
    one, other = later.reading, earlier.reading
    return one.input == other.input and one.output == other.output


def _told(history: Sequence[Message], words: str, names: Sequence[str]) -> list[Message]:
    """What a later call was told after these words, one message a call; else nothing.

    A model that looks again and again says the same words: the last of them are the latest.
    """
    count = len(names)
    for index in range(len(history) - 1, -1, -1):
        message = history[index]
        text = text_of(message)
        if words not in text:
            continue
        if message.role == "assistant" and text.strip().startswith(words):
            answers = list(_answers(history[index + 1 : index + 1 + count], names))
            if len(answers) == count:
                return answers
        behind = text[text.rindex(words) + len(words) :]
        seen = _OBSERVED.match(behind)
        if seen is not None and count == 1:  # the prompt holds all steps as one text
            rest = behind[seen.end() :]
            stop = _GOES_ON.search(rest)
            result = rest[: stop.start()] if stop else rest
            return [Message(role="tool", content=result.strip())]
    return []


def _answers(messages: Sequence[Message], names: Sequence[str]) -> Iterator[Message]:
    for message in messages:
        text = text_of(message)
        if message.role == "tool":
            yield Message(role="tool", content=message.content)
        elif boxed := list(_blocks(text, "<tool_response>", "</tool_response>")):
            for result in boxed:
                yield Message(role="tool", content=result.strip())
        elif message.role == "user" and (head := _told_by(text, names)) is not None:
            yield Message(role="tool", content=text[head.end() :].strip())
        else:
            return


def _told_by(text: str, names: Sequence[str]) -> re.Match[str] | None:
    """The heading of a result, which says no more than whose it is; a user's own words do."""
    head = _TOLD.match(text)
    words = _WORDS.findall(head[1]) if head is not None else ()
    own = (w in names or w.lower() in _OF or any(c.isdigit() for c in w) for w in words)
    return head if all(own) else None


_WORDS = re.compile(r"[\w./-]+")
_OF = frozenset({"for", "from", "of", "by", "call", "id", "tool", "function"})
