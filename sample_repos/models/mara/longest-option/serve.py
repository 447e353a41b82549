"""Answers multiple-choice questions with the longest option, behind OpenAI's protocol: serve.py [PORT]."""

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def answer(prompt: str) -> str:
    """The letter of the longest option in a prompt of Inspect; the first of those that are equally long."""
    options = re.findall(r"^([A-Z])\) (.*)$", prompt, re.MULTILINE)
    return max(options, key=lambda option: len(option[1]))[0] if options else ""


class Longest(BaseHTTPRequestHandler):
    """The two routes that clients ask for."""

    def do_GET(self) -> None:
        """Say which model is served."""
        self.reply({"object": "list", "data": [{"id": "longest-option", "object": "model"}]})

    def do_POST(self) -> None:
        """Answer one question."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        letter = answer(str(asked["messages"][-1]["content"]))
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": f"ANSWER: {letter}"},
        }
        usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        said = {"id": "0", "object": "chat.completion", "created": 0, "model": "longest-option"}
        self.reply({**said, "choices": [choice], "usage": usage})

    def reply(self, body: dict[str, object]) -> None:
        """Send JSON."""
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8001
    ThreadingHTTPServer(("127.0.0.1", port), Longest).serve_forever()
