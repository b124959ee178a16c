"""A command agent that asks a model once, by plain HTTP, and tells what came back."""

import http.client
import json
import os
import sys
import urllib.error
import urllib.request

given = json.load(sys.stdin)
streamed = given["input"] == "stream"
body = {"model": "m", "messages": [{"role": "user", "content": given["input"]}], "stream": streamed}
request = urllib.request.Request(
    f"{os.environ['OPENAI_BASE_URL']}/chat/completions",
    json.dumps(body).encode(),
    {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}",
    },
)
try:
    with urllib.request.urlopen(request, timeout=20) as response:
        found = [response.status, response.read().decode()]
except urllib.error.HTTPError as error:
    found = [error.code, error.read().decode()]
except (OSError, http.client.HTTPException) as error:
    found = [0, type(error).__name__]
print(json.dumps({"output": found}))
