"""Let lumiscope explain a classifier that runs elsewhere: the contract of docs/models.md in 30 lines.

    python examples/black_box_server.py world:objects 8000 &
    lumiscope explain --images world:3 --model http://127.0.0.1:8000 --methods lime

Put your own function in the place of `model`: whatever takes (N, h, w, 3) uint8 pictures and gives probabilities.
"""

import io
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np

import lumiscope as ls
from lumiscope.models import probabilities


def serve(model: ls.VisionModel, port: int) -> HTTPServer:
    """A server on `port` of this machine that answers with the model's probabilities."""
    about = {"classes": model.classes, "input_size": model.geometry.input_size, "version": model.fingerprint}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # what the model is
            self.answer(about)

        def do_POST(self) -> None:  # a batch of pictures as one .npy file -> their probabilities
            pictures = np.load(io.BytesIO(self.rfile.read(int(self.headers["Content-Length"]))))
            scores = model.predict(pictures)
            self.answer({"probabilities": probabilities(scores, model.activation).tolist()})

        def answer(self, content: object) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

    return HTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    serve(ls.load_model(sys.argv[1]), int(sys.argv[2])).serve_forever()
