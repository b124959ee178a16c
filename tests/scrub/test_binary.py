"""Pictures, sounds and files: a mark with kind, size and keyed hash, and nothing of the rest."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import wave
import zipfile
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymize.binary import Binaries, from_part, interim, sniff
from anonymize.conventions.parts import without_bytes
from anonymize.keys import PseudonymKey
from anonymize.policy import ScrubPolicy
from anonymize.scrub import Scrubber
from anonymize.scrubbed import ScrubbedTrace
from anonymize.trace import Json, LLMCall, Message, ToolCall, Trace
from tests.timing import at_most

KEY = PseudonymKey(b"a key for tests, nothing is real")
MARK = re.compile(r"\[binary [\w.+-]+/[\w.+-]+ \d+ B hmac:[0-9a-f]{12}\]")


def _wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(Random(3).randbytes(400))
    return out.getvalue()


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("word/document.xml", "Mei Kovacs")
    return out.getvalue()


NOISE = Random(1).randbytes(600)
FILES = {
    "image/png": b"\x89PNG\r\n\x1a\n" + NOISE,
    "image/jpeg": b"\xff\xd8\xff\xe0" + NOISE,
    "image/gif": b"GIF89a" + NOISE,
    "image/webp": b"RIFF\x00\x10\x00\x00WEBPVP8 " + NOISE,
    "application/pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + NOISE,
    "application/zip": _zip(),
    "application/gzip": gzip.compress(b"Mei Kovacs " * 40),
    "audio/wav": _wav(),
    "audio/mpeg": b"ID3\x04\x00\x00" + NOISE,
    "audio/ogg": b"OggS\x00\x02" + NOISE,
    "video/mp4": b"\x00\x00\x00\x20ftypisom" + NOISE,
}
PNG = FILES["image/png"]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture(scope="module")
def scrubber() -> Scrubber:
    return Scrubber.create(ScrubPolicy(model="", tagger="", audit=False), KEY)


def scrub(scrubber: Scrubber, **fields: Any) -> Trace:
    (result,) = scrubber.scrub_all([Trace(**{"trace_id": "t", **fields})])
    assert isinstance(result, ScrubbedTrace), getattr(result, "reason", "")
    (again,) = scrubber.scrub_all([result.trace])
    assert isinstance(again, ScrubbedTrace)
    assert again.trace == result.trace
    return result.trace


@pytest.mark.parametrize("media", FILES)
def test_a_file_is_known_by_its_first_bytes(media: str) -> None:
    assert sniff(FILES[media]) == media


@pytest.mark.parametrize("media", FILES)
def test_a_mark_keeps_kind_and_size(scrubber: Scrubber, media: str) -> None:
    made = scrub(scrubber, input={"file": b64(FILES[media]), "name": "scan.bin"})
    assert made.input["file"].startswith(f"[binary {media} {len(FILES[media])} B hmac:")
    assert made.input["name"] == "scan.bin"
    assert "binary_dropped" in made.lossy_flags


def _ways(data: bytes) -> dict[str, str]:
    plain = b64(data)
    return {
        "bare": plain,
        "data URL": f"data:image/png;base64,{plain}",
        "with a file name": f"data:image/png;name=mei_kovacs.png;base64,{plain}",
        "Markdown": f"see ![a scan](data:image/png;base64,{plain}) please",
        "HTML": f'<img src="data:image/png;base64,{plain}"/>',
        "JSON": json.dumps({"a": [{"data": plain, "type": "image"}]}),
        "JSON in JSON": json.dumps({"body": json.dumps({"url": f"data:image/png;base64,{plain}"})}),
        "escaped slashes": json.dumps({"d": plain}).replace("/", "\\/"),
        "lines": base64.encodebytes(data).decode(),
        "lines in JSON": json.dumps({"d": base64.encodebytes(data).decode()}),
        "URL alphabet": base64.urlsafe_b64encode(data).decode(),
        "no padding": plain.rstrip("="),
        "percent": "data:image/png;base64," + plain.replace("+", "%2B").replace("/", "%2F"),
        "Python": str({"image": data}),
        "buffer": json.dumps({"type": "Buffer", "data": list(data)}),
    }


@pytest.mark.parametrize("way", _ways(PNG))
def test_the_same_bytes_are_the_same_mark_however_they_are_written(way: str) -> None:
    made, count = Binaries(KEY).replace(_ways(PNG)[way])
    marks = MARK.findall(made)
    assert count == 1
    assert marks == MARK.findall(Binaries(KEY).replace(b64(PNG))[0])
    assert len(made) < 200
    if "JSON" in way or way in ("escaped slashes", "buffer"):
        json.loads(made)


def test_marks_are_of_the_key() -> None:
    other = PseudonymKey(b"another key for tests, nothing real")
    assert Binaries(KEY).replace(b64(PNG)) != Binaries(other).replace(b64(PNG))


def test_what_was_cut_off_is_dropped_too() -> None:
    for text in (b64(PNG)[:301], f"data:image/png;base64,{b64(PNG)[:301]}"):
        made, _ = Binaries(KEY).replace(text)
        assert MARK.fullmatch(made)


def test_random_bytes_of_no_known_kind_are_dropped() -> None:
    assert MARK.fullmatch(Binaries(KEY).replace(b64(NOISE))[0])


def test_bytes_read_as_text_are_dropped() -> None:
    assert MARK.fullmatch(Binaries(KEY).replace(PNG.decode("utf-8", "replace"))[0])


@pytest.mark.parametrize(
    "text",
    [
        "The quick brown fox " * 40,
        "https://storage-bucket/some/long/path/" + "VeryLongName/" * 40,
        "thisIsAVeryLongIdentifierName" * 20,
        Random(2).randbytes(300).hex(),
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ0ZXN0In0."
        + base64.urlsafe_b64encode(Random(5).randbytes(256)).decode().rstrip("="),
        "-----BEGIN RSA PRIVATE KEY-----\n"
        + base64.encodebytes(Random(4).randbytes(900)).decode()
        + "-----END RSA PRIVATE KEY-----",
        "#W2611340, 8c1b3f9e-77aa-4c7e-9d7e-0a1b2c3d4e5f, sha256:" + "ab12" * 16,
        "données: été à la plage, coûte 10 €",
        "\x1b[31mred\x1b[0m \t text\r\n",
    ],
)
def test_what_is_no_file_stays(text: str) -> None:
    assert Binaries(KEY).replace(text) == (text, 0)


def test_base64_of_text_is_opened_and_scrubbed(scrubber: Scrubber) -> None:
    text = "my mail is mei.kovacs@corp.internal, order A-17 is late " * 8
    made = scrub(scrubber, input={"data": b64(text.encode())})
    opened = base64.b64decode(made.input["data"]).decode()
    assert "order A-17 is late" in opened
    assert "kovacs" not in opened


def test_base64_of_text_that_is_too_long_to_open_is_dropped(scrubber: Scrubber) -> None:
    text = "my mail is mei.kovacs@corp.internal " * 6_000
    made = scrub(scrubber, input={"data": b64(text.encode())})
    assert made.input["data"].startswith("[binary text/plain ")


def test_nothing_is_decompressed(scrubber: Scrubber) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    with at_most(2):
        made = scrub(scrubber, input={"log": b64(bomb)})
        assert made.input["log"].startswith(f"[binary application/gzip {len(bomb)} B")


URL = f"data:image/png;base64,{b64(PNG)}"
PARTS: dict[str, Json] = {
    "OpenAI image": {"type": "image_url", "image_url": {"url": URL}},
    "OpenAI audio": {
        "type": "input_audio",
        "input_audio": {"data": b64(NOISE[:90]), "format": "wav"},
    },
    "OpenAI file": {
        "type": "file",
        "file": {
            "filename": "mei.kovacs@corp.example.pdf",
            "file_data": f"data:application/pdf;base64,{b64(FILES['application/pdf'])}",
        },
    },
    "Anthropic image": {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": b64(PNG)},
    },
    "Anthropic document": {
        "type": "document",
        "source": {
            "type": "base64",
            "media_type": "application/pdf",
            "data": b64(FILES["application/pdf"]),
        },
    },
    "OpenInference": {
        "message_content": {
            "type": "image",
            "image": {"image": {"url": f"data:image/png;base64,{b64(PNG)}"}},
        }
    },
    "GenAI blob": {"type": "blob", "mime_type": "image/png", "content": b64(PNG[:60])},
    "Vercel": {"type": "file", "mediaType": "image/png", "data": b64(PNG)},
    "Vercel buffer": {"type": "image", "image": {"type": "Buffer", "data": list(PNG)}},
    "LangChain": {"type": "image", "source_type": "base64", "data": b64(PNG)},
    "Gemini": {"inline_data": {"mime_type": "image/png", "data": b64(PNG)}},
    "Bedrock": {"image": {"format": "png", "source": {"bytes": b64(PNG)}}},
    "MCP image": {"type": "image", "mimeType": "image/png", "data": b64(PNG)},
    "MCP audio": {"type": "audio", "mimeType": "audio/wav", "data": b64(FILES["audio/wav"])},
    "MCP resource": {
        "type": "resource",
        "resource": {"uri": "file:///a.pdf", "mimeType": "application/pdf", "blob": b64(NOISE)},
    },
}


@pytest.mark.parametrize("name", PARTS)
def test_a_part_of_every_convention_keeps_its_form(scrubber: Scrubber, name: str) -> None:
    """As it is, after its convention has read it, and as JSON text a tool returned."""
    part, flags = PARTS[name], set[str]()
    read = without_bytes(part, flags)
    message = Message(role="user", content=[part, read])
    call = ToolCall(step_id="2", name="t", result=json.dumps([part]))
    made = scrub(scrubber, steps=(LLMCall(step_id="1", input=(message,)), call))
    raw, short = made.llm_calls[0].input[0].content
    for left in (short, *([raw] if name not in ("OpenAI audio",) else [])):
        text = json.dumps(left)
        assert MARK.search(text), text[:300]
        assert "sha256" not in text
        assert "kovacs" not in text
        assert len(text) < 400
    assert MARK.search(json.dumps(json.loads(made.tool_calls[0].result))) or name == "OpenAI audio"
    assert "binary_dropped" in made.lossy_flags


def test_equal_files_are_equal_whoever_took_their_bytes_out(scrubber: Scrubber) -> None:
    part = {"type": "image", "mime_type": "image/png", "data": b64(PNG)}
    short = without_bytes(part, set())
    made = scrub(scrubber, input={"a": part, "b": short})
    assert made.input["a"]["data"] == made.input["b"]["data"]


def test_a_text_in_a_document_part_stays_a_text() -> None:
    part = {"type": "document", "source": {"type": "text", "data": "It is a plain text, all."}}
    assert without_bytes(part, set()) == part
    assert from_part("abcd") is None


def test_an_address_of_a_picture_stays(scrubber: Scrubber) -> None:
    part = {"type": "image_url", "image_url": {"url": "https://shop.example/a.png"}}
    assert scrub(scrubber, input=[part]).input == [part]


def test_marks_are_counted(scrubber: Scrubber) -> None:
    value = {"a": b64(PNG), "b": f"data:image/png;base64,{b64(PNG)}"}
    (made,) = scrubber.scrub_all([Trace(trace_id="t", input=value)])
    assert isinstance(made, ScrubbedTrace)
    assert made.counts == {"BINARY": 2}


def test_a_trace_of_big_pictures_is_measured_without_them() -> None:
    policy = ScrubPolicy(model="", tagger="", audit=False, max_trace_chars=10_000)
    scrubber = Scrubber.create(policy, KEY)
    picture = b64(b"\x89PNG\r\n\x1a\n" + Random(7).randbytes(300_000))
    assert "[binary image/png 300008 B" in scrub(scrubber, input={"image": picture}).input["image"]


@given(
    st.one_of(
        st.text(max_size=300),
        st.binary(max_size=400).map(b64),
        st.binary(max_size=200).map(lambda data: f"data:a/b;base64,{b64(data)} {data!r}"),
        st.binary(max_size=200).map(lambda data: data.decode("utf-8", "replace")),
        st.binary(max_size=100).map(interim),
    )
)
def test_taking_out_twice_changes_nothing(text: str) -> None:
    once, _ = Binaries(KEY).replace(text)
    assert Binaries(KEY).replace(once) == (once, 0)


@pytest.mark.parametrize(
    "piece",
    ["a.", "A" * 31 + " ", "A" * 50 + "\n", "data:;base64,", "b'\\x", "%2B", "data:image/png;",
     "A", "aB3/", "\\/", "\\n", "aB3x\\n", '"data":[1,', "\ufffd", "=", "aB3x" * 10 + "\\"],
)  # fmt: skip
def test_a_hostile_text_takes_time_in_proportion(piece: str) -> None:
    text = (piece * (10_000 // len(piece) + 1))[:10_000]
    with at_most(0.1):
        Binaries(KEY).replace(text)
