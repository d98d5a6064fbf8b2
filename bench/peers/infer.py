"""Inference of an ONNX model on one thread of the CPU, in ONNX Runtime or OpenCV.

Reads a JSON object per line: first the task, then {"count": N} for each turn. Writes who it is and the logits, then
{"seconds": [...]}.
"""

import json
import sys
import time

import numpy


def onnxruntime(model):
    import onnxruntime as runtime

    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return f"ONNX Runtime {runtime.__version__}", lambda faces: session.run(None, {"faces": faces})[0]


def opencv(model):
    import cv2

    cv2.setNumThreads(1)
    network = cv2.dnn.readNetFromONNX(model)

    def run(faces):
        network.setInput(faces)
        return network.forward()

    return f"OpenCV {cv2.__version__} DNN", run


def answer(message):
    print(json.dumps(message), flush=True)


def main():
    task = json.loads(sys.stdin.readline())
    name, run = {"onnxruntime": onnxruntime, "opencv": opencv}[task["runtime"]](task["model"])
    faces = numpy.array(task["faces"], dtype="float32").reshape(task["shape"])
    for _ in range(3):
        logits = run(faces)
    answer({"name": name, "logits": numpy.asarray(logits).reshape(-1).tolist()})
    for line in sys.stdin:
        seconds = []
        for _ in range(json.loads(line)["count"]):
            started = time.perf_counter()
            run(faces)
            seconds.append(time.perf_counter() - started)
        answer({"seconds": seconds})


if __name__ == "__main__":
    main()
