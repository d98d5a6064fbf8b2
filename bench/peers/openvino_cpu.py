"""Networks on one CPU thread in OpenVINO."""


def request(model, shape=None):
    """The runtime with its precision, bfloat16 where the processor has it, and an inference request.

    `model` is the path of an ONNX file or a file object; `shape` replaces that of the input.
    """
    import openvino as runtime

    core = runtime.Core()
    network = core.read_model(model)
    if shape:
        network.reshape(shape)
    precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
    config = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
    version = runtime.__version__.split("-")[0]
    return f"OpenVINO {version} in {precision}", core.compile_model(network, "CPU", config).create_infer_request()
