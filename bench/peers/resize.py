"""Scales a square of a grey image with OpenCV's area filter to values in [-1, 1], on one thread."""

import cv2
import numpy
import turns


def main():
    cv2.setNumThreads(1)
    task = turns.task()
    image = numpy.array(task["pixels"], dtype="uint8").reshape(task["height"], task["width"])
    left, top, side = task["left"], task["top"], task["side"]
    size = (task["size"], task["size"])

    def run():
        crop = image[top : top + side, left : left + side]
        return cv2.resize(crop, size, interpolation=cv2.INTER_AREA).astype("float32") * (2 / 255) - 1

    turns.serve({"name": f"OpenCV {cv2.__version__}", "output": run().reshape(-1).tolist()}, run)


if __name__ == "__main__":
    main()
