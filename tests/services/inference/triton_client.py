"""Run by a Python that has tritonclient: asks a server the way its users do, and tells what it heard as JSON.

`python triton_client.py HOST:PORT`
"""

import json
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

X = np.array([[0.5, -1.0, 3.0], [np.nan, 0.2, 1.0]], np.float32)


def tensor(name, array, datatype="FP32", binary=True):
    found = triton.InferInput(name, list(array.shape), datatype)
    found.set_data_from_numpy(array, binary_data=binary)
    return found


def infer(client, model, inputs, outputs=None, **more):
    result = client.infer(model, inputs, outputs=outputs, **more)
    names = [one["name"] for one in result.get_response()["outputs"]]
    return {
        **{name: result.as_numpy(name).tolist() for name in names},
        "id": result.get_response().get("id"),
        "version": result.get_response()["model_version"],
    }


def main(url):
    client = triton.InferenceServerClient(url)
    whole = np.nan_to_num(X)
    outputs = [triton.InferRequestedOutput("value", binary_data=True), triton.InferRequestedOutput("low", False)]
    labels = triton.InferRequestedOutput("class", binary_data=True)
    texts = np.array([[str(value).encode() for value in row] for row in X.tolist()], object)
    said = {
        "alive": [client.is_server_live(), client.is_server_ready(), client.is_model_ready("boosted"),
                  client.is_model_ready("boosted", "1"), client.is_model_ready("nothing")],
        "server": client.get_server_metadata(),
        "model": client.get_model_metadata("boosted", "1"),
        "bytes": infer(client, "boosted", [tensor("features", X)], request_id="42"),
        "json": infer(client, "boosted", [tensor("features", whole, binary=False)], outputs, model_version="1"),
        "named": infer(client, "boosted", [tensor(name, X[:, i].copy()) for i, name in enumerate("abc")]),
        "texts": infer(client, "boosted", [tensor("features", texts, "BYTES")], timeout=5, priority=1),
    }  # fmt: skip
    classes = client.infer("forest", [tensor("features", whole)], outputs=[labels]).as_numpy("class")
    said["classes"] = [one.decode() for one in classes]
    try:
        client.infer("boosted", [tensor("features", X[:, :2].copy())])
    except InferenceServerException as problem:
        said["refused"] = [problem.status(), problem.message()]
    client.close()
    print(json.dumps(said))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
