"""The shared recordings of Bedrock, through boto3's own client, streamed and not."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from replay.intercept.cassette import Cassette, Interaction
from replay.intercept.playing import playing
from replay.intercept.vcr_files import read_cassette
from tests.support import shared

NAMES = {
    "TestNovaInvokeModel.test_nova_with_tool_use": "invoke_model",
    "TestClaudeInvokeModelMessageApi.test_invoke_model_with_image": "invoke_model",
    "TestConverseStream.test_invoke_tool_response_message": "converse_stream",
    "TestInvokeModelWithStreamResponse.test_invoke": "invoke_model_with_response_stream",
    "test_converse_tool_use_message": "converse",
}


def recording(name: str) -> list[Interaction]:
    (path,) = shared("cassettes").rglob(f"*bedrock*{name}.yaml")
    return [item for item in read_cassette(path) if "bedrock-runtime" in item.uri]


def arguments(method: str, item: Interaction) -> dict[str, Any]:
    model = unquote(urlsplit(item.uri).path.split("/")[2])
    if method.startswith("invoke"):
        return {"modelId": model, "body": item.request}
    return {"modelId": model, **json.loads(item.request)}


@pytest.mark.parametrize("name", NAMES)
def test_boto3_gets_the_recorded_response(name: str) -> None:
    boto3: Any = pytest.importorskip("boto3")
    client = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
    )
    method = NAMES[name]
    items = recording(name)
    with playing(Cassette(items)):
        for item in items:
            answer = getattr(client, method)(**arguments(method, item))
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == item.status
            if method == "invoke_model":
                assert answer["body"].read() == item.response
            elif method == "converse":
                assert answer["output"]["message"]["content"]
            else:
                events = list(answer["stream" if method == "converse_stream" else "body"])
                assert len(events) > 2
