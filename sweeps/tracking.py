"""The section `tracking:` of a spec: where metrics are mirrored to, for people. No part of any trial's identity."""

from typing import Any, Literal

from pydantic import Field

from sweeps.strict import Count, Strict


class TensorBoard(Strict):
    """Event files for TensorBoard."""

    folder: str | None = Field(None, description="where they go; tracking/tensorboard under the results if left out")


class MLflow(Strict):
    """Runs in MLflow."""

    uri: str | None = Field(
        None, description="tracking server or store; a database under the results' tracking/mlflow if left out"
    )
    experiment: str | None = Field(None, description="name of the experiment; the sweep's if left out")


class WeightsAndBiases(Strict):
    """Runs in Weights & Biases."""

    project: str | None = Field(None, description="project; interplay if left out")
    entity: str | None = Field(None, description="user or team; your own if left out")
    mode: Literal["offline", "online"] = Field("offline", description="offline: kept here until `wandb sync` sends it")
    folder: str | None = Field(None, description="where it is kept; tracking/wandb under the results if left out")


class Tracking(Strict):
    """Trackers that the metrics are mirrored to: placement only. One that fails never hurts a trial."""

    tensorboard: TensorBoard | None = Field(None, description="TensorBoard, through tensorboardX")
    mlflow: MLflow | None = Field(None, description="MLflow")
    wandb: WeightsAndBiases | None = Field(None, description="Weights & Biases")
    points: Count = Field(1000, description="about so many steps of a trial are shown, and every held-out loss")


def by_name(value: Any) -> Any:
    """`tracking: tensorboard`, or a list of names, for trackers without options."""
    if isinstance(value, str):
        return {value: {}}
    if isinstance(value, list):
        return {str(name): {} for name in value}
    if isinstance(value, dict):
        return {name: {} if given is True else given for name, given in value.items()}
    return value
