"""Trains the two models that ship with the gateway and writes them beside this script.

    python -m venv /tmp/venv && /tmp/venv/bin/pip install -r api/models/requirements.txt
    /tmp/venv/bin/python api/models/train.py

Prints, for each model, its accuracy on a held-out quarter of the data as scikit-learn sees it and as the written
file gives it in ONNX Runtime; the run fails when the two disagree. The same versions on the same kind of processor
write the same bytes.
"""

import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

SEED = 20240817
HERE = pathlib.Path(__file__).resolve().parent

# Name, loader, names of the classes (the loader's own where None), hidden layers.
MODELS = [
    ("iris", load_iris, None, (16,)),
    ("digits", load_digits, [str(digit) for digit in range(10)], (64, 32)),
]


def tensor(name, values):
    return numpy_helper.from_array(np.asarray(values, dtype=np.float32), name)


def to_onnx(name, scaler, network, classes, source):
    """Scaling, then MatMul, Add and Relu per hidden layer, then Softmax: plain operators any runtime has."""
    nodes = [
        helper.make_node("Sub", ["features", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "scale"], ["scaled"]),
    ]
    weights = [tensor("mean", scaler.mean_), tensor("scale", scaler.scale_)]
    current = "scaled"
    last = len(network.coefs_) - 1
    for i, (matrix, bias) in enumerate(zip(network.coefs_, network.intercepts_)):
        weights += [tensor(f"w{i}", matrix), tensor(f"b{i}", bias)]
        nodes += [
            helper.make_node("MatMul", [current, f"w{i}"], [f"product{i}"]),
            helper.make_node("Add", [f"product{i}", f"b{i}"], [f"sum{i}"]),
        ]
        if i == last:
            nodes.append(helper.make_node("Softmax", [f"sum{i}"], ["probabilities"], axis=-1))
        else:
            nodes.append(helper.make_node("Relu", [f"sum{i}"], [f"hidden{i}"]))
        current = f"hidden{i}"
    features, outputs = network.coefs_[0].shape[0], network.coefs_[-1].shape[1]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", features])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", outputs])],
        weights,
    )
    model = helper.make_model(
        graph, producer_name="firedrill", opset_imports=[helper.make_opsetid("", 13)], ir_version=8
    )
    helper.set_model_props(model, {"classes": ",".join(classes), "data": source})
    onnx.checker.check_model(model, full_check=True)
    return model


def main():
    for name, load, classes, hidden in MODELS:
        data = load()
        classes = classes or [str(label) for label in data.target_names]
        train_x, test_x, train_y, test_y = train_test_split(
            data.data, data.target, test_size=0.25, random_state=SEED, stratify=data.target
        )
        scaler = StandardScaler().fit(train_x)
        network = MLPClassifier(hidden, alpha=1e-2, max_iter=2000, random_state=SEED)
        network.fit(scaler.transform(train_x), train_y)
        trained = network.score(scaler.transform(test_x), test_y)

        path = HERE / f"{name}.onnx"
        onnx.save(to_onnx(name, scaler, network, classes, f"scikit-learn load_{name}"), path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (probabilities,) = session.run(None, {"features": test_x.astype(np.float32)})
        written = float(np.mean(probabilities.argmax(axis=1) == test_y))
        print(
            f"{name}: {len(train_y)} rows to train, {len(test_y)} to test, "
            f"accuracy {trained:.4f} trained, {written:.4f} as written, {path.stat().st_size} bytes"
        )
        assert abs(trained - written) < 1e-9, "the file does not say what was trained"


main()
