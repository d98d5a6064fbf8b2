"""Inference of an ONNX model on one CPU thread, in ONNX Runtime, OpenVINO or OpenCV; without faces in the task, loading it."""

import openvino_cpu
import turns


def onnxruntime(model, faces=None):
    """The peer's name, and a function from faces to logits."""
    import onnxruntime as runtime

    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return f"ONNX Runtime {runtime.__version__}", lambda faces: session.run(None, {"faces": faces})[0]


def openvino(model, faces=None):
    """The same for OpenVINO, in bfloat16 where the processor has it."""
    about, request = openvino_cpu.request(model, None if faces is None else list(faces.shape))
    return about, lambda faces: request.infer([faces])[0]


def nncf(model, faces):
    """The same for OpenVINO in integers, to which NNCF quantises the network by these faces."""
    about, request = openvino_cpu.request(model, list(faces.shape), calibration=faces)
    return about, lambda faces: request.infer([faces])[0]


def opencv(model, faces=None):
    """The same for OpenCV."""
    import cv2

    cv2.setNumThreads(1)
    network = cv2.dnn.readNetFromONNX(model)

    def run(faces):
        network.setInput(faces)
        return network.forward()

    return f"OpenCV {cv2.__version__} DNN", run


def main():
    task = turns.task()
    load = {"onnxruntime": onnxruntime, "openvino": openvino, "nncf": nncf, "opencv": opencv}[task["runtime"]]
    if "faces" not in task:
        name, _ = load(task["model"])
        turns.serve({"name": name}, lambda: load(task["model"]))
        return
    import numpy

    faces = numpy.array(task["faces"], dtype="float32").reshape(task["shape"])
    name, run = load(task["model"], faces)
    for _ in range(3):
        logits = run(faces)
    turns.serve({"name": name, "output": numpy.asarray(logits).reshape(-1).tolist()}, lambda: run(faces))


if __name__ == "__main__":
    main()
