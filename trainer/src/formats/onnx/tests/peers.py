"""Runs the ONNX file of the first argument on the float32 faces in the second, each as wide and high as the third says,
in every program that is installed, or in the one that the fourth names. Prints a JSON object: program to its logits and what it reads of the metadata."""

import importlib.util
import json
import sys


def with_onnxruntime(model):
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    run = lambda faces: session.run(["logits"], {"faces": faces})[0]
    return run, session.get_modelmeta().custom_metadata_map


def with_opencv(model):
    import cv2

    net = cv2.dnn.readNetFromONNX(model)

    def run(faces):
        net.setInput(faces)
        return net.forward()

    return run, None


def installed(*modules):
    return all(importlib.util.find_spec(module) for module in modules)


def main():
    model, faces, size, *only = sys.argv[1:]
    answers = {}
    for name, module, load in [
        ("onnxruntime", "onnxruntime", with_onnxruntime),
        ("opencv", "cv2", with_opencv),
    ]:
        if not installed("numpy", module) or (only and name not in only):
            continue
        import numpy

        batch = numpy.fromfile(faces, "<f4").reshape(-1, 1, int(size), int(size))
        run, metadata = load(model)
        answers[name] = {
            "together": run(batch).tolist(),
            "alone": [run(batch[i : i + 1])[0].tolist() for i in range(len(batch))],
            "metadata": metadata,
        }
    if installed("onnx"):
        import onnx

        onnx.checker.check_model(model, full_check=True)
    print(json.dumps(answers))


main()
