"""A server on this machine, as docs/models.md describes one; it answers well, late, seldom or wrongly."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

ABOUT = {"classes": ["red", "green", "blue"], "input_size": [16, 24], "version": "1"}


def shares(pixels):
    sums = pixels.sum((1, 2), dtype=np.float64)
    return sums / sums.sum(1, keepdims=True)


class Server:
    """A server of shares. `about`: what a GET gets; `fail`: (status, headers) of the next POSTs, None for a success;
    `answer`: replaces the answer to (N, h, w, 3) pictures; `delay`: seconds that each POST takes.
    """

    def __init__(self):
        self.about, self.get_status = ABOUT, 200
        self.fail, self.delay = [], 0.0
        self.answer = lambda pixels: json.dumps({"probabilities": shares(pixels).tolist(), "note": "ignored"})
        self.gets, self.posts, self.headers, self.busy, self.most_busy = 0, [], [], 0, 0
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.gets += 1
                content = outer.about if isinstance(outer.about, bytes) else json.dumps(outer.about).encode()
                self.reply(outer.get_status, content)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.busy += 1
                    outer.most_busy = max(outer.most_busy, outer.busy)
                    outer.headers.append(dict(self.headers))
                    failure = outer.fail.pop(0) if outer.fail else None
                time.sleep(outer.delay)
                if failure is not None:
                    status, headers = failure
                    self.reply(status, b"not now", headers)
                else:
                    pixels = outer.pictures(body, self.headers["Content-Type"])
                    outer.posts.append(len(pixels))
                    self.reply(200, outer.answer(pixels).encode())
                with outer.lock:
                    outer.busy -= 1

            def reply(self, status, content, headers=()):
                try:
                    self.send_response(status)
                    for name, value in dict(headers).items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    pass  # the client has gone

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @staticmethod
    def pictures(body, kind):
        if kind == "application/x-npy":
            return np.load(io.BytesIO(body), allow_pickle=False)
        assert kind == "application/json"
        images = [base64.b64decode(image) for image in json.loads(body)["images"]]
        return np.stack([np.array(Image.open(io.BytesIO(image))) for image in images])
