"""Face detection in a grey frame on one thread: YuNet's network in ONNX Runtime or OpenVINO, or OpenCV's Haar cascade.

Only YuNet's network is timed, without conversion to colour, decoding and suppression of overlapping boxes. OpenCV's
wrapper of YuNet runs once to return the faces.
"""

import io

import cv2
import numpy
import openvino_cpu
import turns


def yunet(task, frame):
    """The boxes [x, y, w, h] that YuNet finds, its network for the size of the frame as ONNX, and its input."""
    import onnx

    height, width = frame.shape
    colour = cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR)
    detector = cv2.FaceDetectorYN.create(task["model"], "", (width, height), task["threshold"])
    faces = detector.detect(colour)[1]
    boxes = [] if faces is None else faces[:, :4]

    # The published file is for 640×640; its layers take any multiple of 32.
    model = onnx.load(task["model"])
    pad = [-height % 32, -width % 32]
    shape = [height + pad[0], width + pad[1]]
    for dim, value in zip(model.graph.input[0].type.tensor_type.shape.dim[2:], shape):
        dim.dim_value = value
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    padded = numpy.pad(colour, ((0, pad[0]), (0, pad[1]), (0, 0)))
    image = numpy.ascontiguousarray(padded.transpose(2, 0, 1)[None].astype("float32"))
    return boxes, model.SerializeToString(), image


def yunet_onnxruntime(task, frame):
    """The peer's name, the boxes that it finds, and the function to time."""
    import onnxruntime as runtime

    boxes, model, image = yunet(task, frame)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return f"YuNet, ONNX Runtime {runtime.__version__}", boxes, lambda: session.run(None, {name: image})


def yunet_openvino(task, frame):
    """The same in OpenVINO, in bfloat16 where the processor has it."""
    boxes, model, image = yunet(task, frame)
    about, request = openvino_cpu.request(io.BytesIO(model))
    return f"YuNet, {about}", boxes, lambda: request.infer([image])


def haar(task, frame):
    """The same for the cascade."""
    classifier = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    side = task["min_size"]

    def run():
        return classifier.detectMultiScale(frame, 1.1, 5, minSize=(side, side))

    return f"OpenCV {cv2.__version__} Haar", run(), run


def main():
    cv2.setNumThreads(1)
    task = turns.task()
    frame = numpy.fromfile(task["frame"], dtype="uint8").reshape(task["height"], task["width"])
    name, boxes, work = {"yunet": yunet_onnxruntime, "yunet-openvino": yunet_openvino, "haar": haar}[task["runtime"]](task, frame)
    for _ in range(2):
        work()
    turns.serve({"name": name, "output": numpy.asarray(boxes, dtype=float).reshape(-1).tolist()}, work)


if __name__ == "__main__":
    main()
