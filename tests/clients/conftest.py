"""A model that Inspect can ask."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

QUESTIONS = Path(__file__).parents[2] / "sample_repos" / "datasets" / "glasshub" / "desk-questions"


class Model(BaseHTTPRequestHandler):
    """An OpenAI-compatible endpoint: the first option for choices, the right answer for short questions."""

    answers: ClassVar[dict[str, str]] = {}

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = json.dumps(request["messages"])
        known = [answer for question, answer in self.answers.items() if json.dumps(question)[1:-1] in prompt]
        text = f"Let me see.\n**ANSWER: {known[0] if known else 'A'}**"
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        body = {
            "id": "1",
            "object": "chat.completion",
            "created": 0,
            "model": request["model"],
            "choices": [choice],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def model_url() -> Iterator[str]:
    rows = [json.loads(line) for line in (QUESTIONS / "short" / "test.jsonl").read_text("utf-8").splitlines()]
    Model.answers = {row["question"]: row["answer"] for row in rows}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()
