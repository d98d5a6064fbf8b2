"""Networks on one CPU thread in OpenVINO."""

import contextlib
import sys


def request(model, shape=None, calibration=None):
    """The runtime with its precision, bfloat16 where the processor has it, and an inference request.

    `model` is the path of an ONNX file or a file object; `shape` replaces that of the input. With an input in `calibration`, NNCF
    quantises the network first by what that makes.
    """
    import openvino as runtime

    core = runtime.Core()
    network = core.read_model(model)
    if shape:
        network.reshape(shape)
    precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
    version = runtime.__version__.split("-")[0]
    about = f"OpenVINO {version} in {precision}"
    if calibration is not None:
        # It prints its progress, and standard output is where the answers go.
        with contextlib.redirect_stdout(sys.stderr):
            import nncf

            network = nncf.quantize(network, nncf.Dataset([calibration]), subset_size=1)
        about += f", quantised by NNCF {nncf.__version__}"
    config = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
    return about, core.compile_model(network, "CPU", config).create_infer_request()
