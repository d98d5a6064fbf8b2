"""Trains a described network in PyTorch on the CPU."""

import torch
import turns
from torch import nn
from torch.nn import functional as F


class Network(nn.Module):
    """The described network, from faces [N, 1, H, W] to logits."""

    def __init__(self, nodes):
        super().__init__()
        self.nodes = nodes
        self.layers = nn.ModuleList(layer(node) for node in nodes)

    def forward(self, faces):
        outputs = []
        for node, layer in zip(self.nodes, self.layers):
            if node["op"] == "input":
                output = faces
            elif node["op"] == "add":
                a, b = (outputs[index] for index in node["inputs"])
                output = a + b
            elif node["op"] == "scale_channels":
                a, b = (outputs[index] for index in node["inputs"])
                output = a * b
            else:
                output = layer(outputs[node["inputs"][0]])
            if node.get("relu"):
                output = F.relu(output, inplace=True)
            if output.shape[2] != node["size"]:
                raise ValueError(f"{node}: found size {output.shape[2]}")
            outputs.append(output)
        return outputs[-1].flatten(1)


def layer(node):
    op, inputs, outputs = node["op"], node["channels_in"], node["channels"]
    if op == "conv2d":
        return nn.Conv2d(inputs, outputs, node["kernel"], node["stride"], node["padding"], bias=node["bias"])
    if op == "separable":
        depthwise = nn.Conv2d(inputs, inputs, 3, node["stride"], 1, groups=inputs, bias=False)
        return nn.Sequential(depthwise, nn.Conv2d(inputs, outputs, 1, bias=False))
    if op == "batch_norm":
        return nn.BatchNorm2d(outputs, node["eps"], node["momentum"])
    if op == "max_pool":
        return nn.MaxPool2d(3, 2, node["padding"], ceil_mode=True)
    if op == "average":
        return nn.AdaptiveAvgPool2d(1)
    if op == "sigmoid":
        return nn.Sigmoid()
    if op == "upsample":
        return nn.Upsample(scale_factor=2)
    return nn.Identity()


class Training:
    """The network in training, with tensors in the memory format `layout`."""

    def __init__(self, task, layout):
        torch.manual_seed(1)
        self.network = Network(task["graph"]).to(memory_format=layout)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=1e-3, fused=True)
        size, classes = task["graph"][0]["size"], task["graph"][-1]["channels"]
        faces = torch.rand(task["batch"], 1, size, size) * 2 - 1
        self.faces = faces.contiguous(memory_format=layout)
        self.labels = torch.randint(classes, (task["batch"],))

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(self.network(self.faces), self.labels).backward()
        self.optimizer.step()


def main():
    task = turns.task()
    torch.set_num_threads(task["threads"])
    trainings = {
        "channels first": Training(task, torch.contiguous_format),
        "channels last": Training(task, torch.channels_last),
    }
    # The faster layout becomes the peer.
    times = {name: sorted(turns.timed(training.step) for _ in range(15))[7] for name, training in trainings.items()}
    fastest = min(times, key=times.get)
    training = trainings[fastest]
    parameters = sum(parameter.numel() for parameter in training.network.parameters())
    turns.serve({"name": f"PyTorch {torch.__version__}, {fastest}", "parameters": parameters}, training.step)


if __name__ == "__main__":
    main()
