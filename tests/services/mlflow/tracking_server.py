"""Run by a Python that has MLflow: a real tracking server, and the scientist who logs to it.

`python tracking_server.py FOLDER` says `ready {"url": …}`; then each line of standard input is a JSON list: ["log",
MODEL, [FILES], ALIAS] logs files in a run with MLflow's own client, registers it and moves the alias; ["alias",
MODEL, ALIAS, VERSION] moves it. Each is answered by a line: the version.
"""

import json
import os
import sys
import threading
from pathlib import Path

FOLDER = Path(sys.argv[1])
STORE = f"sqlite:///{FOLDER}/mlflow.db"
os.environ |= {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "_MLFLOW_SERVER_FILE_STORE": STORE,
    "_MLFLOW_SERVER_REGISTRY_STORE": STORE,
    "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
    "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(FOLDER / "artifacts"),
    "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
}

import mlflow  # noqa: E402 (the variables come first)
from mlflow.server import app  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402


def log(client, model, files, alias):
    with mlflow.start_run() as run:
        for file in files:
            mlflow.log_artifact(Path(file))
    if not client.search_registered_models(f"name = '{model}'"):
        client.create_registered_model(model)
    version = client.create_model_version(model, f"runs:/{run.info.run_id}/model", run.info.run_id)
    client.set_registered_model_alias(model, alias, version.version)
    return version.version


def main():
    out, sys.stdout = sys.stdout, sys.stderr  # MLflow says on standard output what is no answer
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.port}"
    client = mlflow.MlflowClient(url)
    client.search_registered_models()
    experiment = client.create_experiment("line")
    mlflow.set_tracking_uri(url)  # now: opening its stores, the server in this process names those
    mlflow.set_experiment(experiment_id=experiment)
    print("ready", json.dumps({"url": url}), file=out, flush=True)
    for line in sys.stdin:
        what, model, *more = json.loads(line)
        if what == "log":
            said = log(client, model, *more)
        else:
            client.set_registered_model_alias(model, *more)
            said = more[-1]
        print(said, file=out, flush=True)


if __name__ == "__main__":
    main()
