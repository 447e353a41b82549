"""An engine for tests: serves a model whose weights are the file ``weights.txt``, by OpenAI's protocol.

``first_letter.py MODEL_DIR PORT [SECONDS]`` answers every question with what the file says, after some seconds.
"""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Engine(BaseHTTPRequestHandler):
    answer = ""
    seconds = 0.0

    def do_GET(self) -> None:
        self.reply({"object": "list", "data": [{"id": "first-letter", "object": "model"}]})

    def do_POST(self) -> None:
        json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(self.seconds)
        message = {"role": "assistant", "content": f"ANSWER: {self.answer}"}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        self.reply({"id": "1", "object": "chat.completion", "created": 0, "model": "first-letter",
                    "choices": [choice], "usage": usage})  # fmt: skip

    def reply(self, body: dict) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


if __name__ == "__main__":
    Engine.answer = (Path(sys.argv[1]) / "weights.txt").read_text("utf-8").strip()
    Engine.seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Engine).serve_forever()
