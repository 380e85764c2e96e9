"""Boxes, keypoints and dense detection."""

import math

import numpy as np

from tests.peers import _data as d
from tests.peers._lazy import torch
from tests.peers._row import plain, rows

NONE = {"reduction": "none"}
CENTERS = {"bounding_box_format": "center_xywh"}
XYXY = {"bounding_box_format": "xyxy"}
LOGITS = {"from_logits": True}
BOXES = d.boxes(40)
EXACT = NONE | {"eps": 1e-12}
SIGMAS = (0.05, 0.1, 0.15, 0.2)
IOU = "mmdet.models.losses.iou_loss."


def corners(y_true, y_pred):
    """Widths and heights of the pair, of what encloses them, the overlap and the squared distance of the centers."""
    (tx, ty, tX, tY), (px, py, pX, pY) = y_true.unbind(-1), y_pred.unbind(-1)
    zero = torch.zeros_like(px)
    overlap = torch.maximum(torch.minimum(pX, tX) - torch.maximum(px, tx), zero)
    overlap = overlap * torch.maximum(torch.minimum(pY, tY) - torch.maximum(py, ty), zero)
    tw, th, pw, ph = tX - tx, tY - ty, pX - px, pY - py
    cw, ch = torch.maximum(pX, tX) - torch.minimum(px, tx), torch.maximum(pY, tY) - torch.minimum(py, ty)
    center = ((tx + tX - px - pX) ** 2 + (ty + tY - py - pY) ** 2) / 4
    return overlap / (tw * th + pw * ph - overlap), (tw, th, pw, ph), (cw, ch), center


def to_corners(boxes):
    center, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([center - half, center + half], -1)


def from_centers(peer, y_true, y_pred):
    """A peer that takes corners, for boxes of centers and sizes."""
    return peer(to_corners(y_pred), to_corners(y_true))


def centers(rng):
    pair = BOXES(rng)
    return tuple(np.concatenate([(b[:, :2] + b[:, 2:]) / 2, b[:, 2:] - b[:, :2]], -1) for b in pair)


def eiou(y_true, y_pred):
    """Zhang et al. 2021, equation 8."""
    iou, (tw, th, pw, ph), (cw, ch), center = corners(y_true, y_pred)
    return 1 - iou + center / (cw**2 + ch**2) + (pw - tw) ** 2 / cw**2 + (ph - th) ** 2 / ch**2


def focal_eiou(y_true, y_pred, gamma):
    """Zhang et al. 2021, equation 13."""
    return corners(y_true, y_pred)[0].detach() ** gamma * eiou(y_true, y_pred)


def alpha_iou(y_true, y_pred, alpha):
    """He et al. 2021, equation 3."""
    return 1 - corners(y_true, y_pred)[0] ** alpha


def mpdiou(y_true, y_pred, height, width):
    """Ma, Xu 2023, equations 11 and 12."""
    square = (y_true - y_pred) ** 2
    return 1 - corners(y_true, y_pred)[0] + square.sum(-1) / (height**2 + width**2)


def wise_iou(y_true, y_pred):
    """Tong et al. 2023, equations 6 and 7, what encloses the boxes held constant."""
    iou, _, (cw, ch), center = corners(y_true, y_pred)
    return torch.exp(center / (cw**2 + ch**2).detach()) * (1 - iou)


def wasserstein(y_true, y_pred, constant):
    """Wang et al. 2021, equations 7 and 8: boxes as normal distributions."""
    _, (tw, th, pw, ph), _, center = corners(y_true, y_pred)
    return 1 - torch.exp(-torch.sqrt(center + ((pw - tw) ** 2 + (ph - th) ** 2) / 4) / constant)


def adaptive_wing(y_true, y_pred, omega, theta, epsilon, alpha):
    """Wang et al. 2019, equation 3, averaged over the last axis."""
    power, size = alpha - y_true, (y_true - y_pred).abs()
    ratio = theta / epsilon
    slope = omega / (1 + ratio**power) * power * ratio ** (power - 1) / epsilon
    far = slope * size - (theta * slope - omega * torch.log(1 + ratio**power))
    return torch.where(size < theta, omega * torch.log(1 + (size / epsilon) ** power), far).mean(-1)


def covariance(box):
    """Centers, and the entries of the covariances of which the half axes are the standard deviations."""
    x, y, w, h, angle = box.unbind(-1)
    a, b, c, s = w**2 / 4, h**2 / 4, torch.cos(angle), torch.sin(angle)
    xx, yy, xy = a * c**2 + b * s**2, a * s**2 + b * c**2, (a - b) * c * s
    return torch.stack([x, y], -1), torch.stack([torch.stack([xx, xy], -1), torch.stack([xy, yy], -1)], -2)


def probiou(y_true, y_pred, hellinger):
    """Llerena et al. 2021, equations 3 to 7: the Hellinger or the Bhattacharyya distance.

    Variances are squared sides over 12.
    """
    (m, S), (n, T) = covariance(y_true), covariance(y_pred)
    S, T = S / 3, T / 3
    both, apart = (S + T) / 2, (m - n)[..., None]
    distance = (apart.mT @ torch.linalg.inv(both) @ apart)[..., 0, 0] / 8
    distance = distance + torch.log(torch.linalg.det(both) / torch.sqrt(torch.linalg.det(S) * torch.linalg.det(T))) / 2
    return torch.sqrt(1 - torch.exp(-distance)) if hellinger else distance


def gaussian(y_true, y_pred, kind, tau):
    """Yang et al. 2021 (2101.11952, 2106.01883): 1 - 1 / (tau + log(1 + distance)), the squared one for Wasserstein."""
    (m, S), (n, T) = covariance(y_true), covariance(y_pred)
    apart = (m - n)[..., None]
    trace = lambda a: a.diagonal(dim1=-2, dim2=-1).sum(-1)  # noqa: E731
    if kind == "wasserstein":
        cross = trace(S @ T) + 2 * torch.sqrt(torch.linalg.det(S) * torch.linalg.det(T))
        value = (apart**2).sum((-2, -1)) + trace(S) + trace(T) - 2 * torch.sqrt(cross)
    else:
        inverse = torch.linalg.inv(S)
        value = (apart.mT @ inverse @ apart)[..., 0, 0] / 2 + trace(inverse @ T) / 2 - 1
        value = value + torch.log(torch.linalg.det(S) / torch.linalg.det(T)) / 2
    return 1 - 1 / (tau + torch.log1p(value))


def rotated(count):
    def make(rng):
        def draw(center):
            center = center + rng.normal(size=(count, 2))
            return np.concatenate([center, rng.uniform(2, 6, size=(count, 2)), rng.uniform(-1, 1, size=(count, 1))], -1)

        center = rng.uniform(5, 9, size=(count, 2))
        return draw(center), draw(center)

    return make


def bins(rng):
    return rng.uniform(0, 6, size=8), 2 * rng.normal(size=(8, 8))


def scores(rng):
    """Qualities, half of which are 0."""
    return d.uniform(6, 4)(rng) * d.bits(6, 4)(rng), 2 * rng.normal(size=(6, 4))


def heatmap(rng):
    y_true = d.uniform(6, 4)(rng)
    y_true[:2] = 1.0
    return y_true, d.uniform(6, 4)(rng)


def mean_of_last(peer, y_true, y_pred):
    """A peer that sums over the last axis."""
    return peer(y_pred, y_true) / y_pred.shape[-1]


def sum_of_last(peer, y_true, y_pred):
    return peer(y_pred, y_true).sum(-1)


def keypoints(y_true, y_pred, sigma, logarithm):
    """The similarity of the COCO evaluation, the area being that of the box around the keypoints."""
    place, seen = y_true[..., :2], y_true[..., 2] > 0
    low = place.masked_fill(~seen[..., None], math.inf).amin(-2)
    high = place.masked_fill(~seen[..., None], -math.inf).amax(-2)
    area = (high - low).prod(-1, keepdim=True)
    near = torch.exp(-((y_pred - place) ** 2).sum(-1) / (2 * area * (2 * torch.tensor(sigma)) ** 2))
    similarity = (near * seen).sum(-1) / seen.sum(-1)
    return -similarity.log() if logarithm else 1 - similarity


def people(rng):
    """Objects of 4 keypoints, one of which is not labelled."""
    place = rng.uniform(0, 40, size=(5, 4, 2))
    seen = rng.permuted(np.tile([2.0, 1.0, 2.0, 0.0], (5, 1)), axis=1)
    return np.concatenate([place, seen[..., None]], -1), place + 3 * rng.normal(size=place.shape)


ROWS = [
    *rows(
        "IoU",
        IOU + "iou_loss",
        BOXES,
        (XYXY, NONE | {"eps": 1e-7}),
        (XYXY | {"mode": "linear"}, NONE | {"mode": "linear"}),
        (XYXY | {"mode": "quadratic"}, NONE | {"mode": "square"}),
    ),
    *rows(
        "GIoU",
        "torchvision.ops.generalized_box_iou_loss",
        BOXES,
        (XYXY, EXACT),
        (XYXY | {"bounding_box_format": "rel_xyxy"}, EXACT),
    ),
    *rows("GIoU", "monai.losses.BoxGIoULoss", BOXES, (XYXY, NONE)),
    *rows("GIoU", IOU + "giou_loss", BOXES, (XYXY, EXACT)),
    *rows("DIoU", "torchvision.ops.distance_box_iou_loss", BOXES, (XYXY, EXACT)),
    *rows("DIoU", IOU + "diou_loss", BOXES, (XYXY, EXACT)),
    *rows("CIoU", "torchvision.ops.complete_box_iou_loss", BOXES, (XYXY, EXACT)),
    *rows("CIoU", "torchvision.ops.complete_box_iou_loss", centers, (CENTERS, EXACT), call=from_centers),
    *rows("DIoU", "torchvision.ops.distance_box_iou_loss", centers, (CENTERS, EXACT), call=from_centers),
    *rows("EIoU", ("formula (Zhang 2021)", eiou), BOXES, (XYXY, {})),
    *rows("EIoU", ("formula (Zhang 2021)", eiou), centers, (CENTERS, {}), call=from_centers),
    *rows(
        "FocalEIoU",
        ("formula (Zhang 2021)", focal_eiou),
        BOXES,
        (XYXY, {"gamma": 0.5}),
        (XYXY | {"gamma": 1.0}, {"gamma": 1.0}),
    ),
    *rows("SIoU", IOU + "siou_loss", BOXES, (XYXY, EXACT | {"neg_gamma": True})),
    *rows("SIoU", IOU + "siou_loss", centers, (CENTERS, EXACT | {"neg_gamma": True}), call=from_centers),
    *rows(
        "AlphaIoU",
        ("formula (He 2021)", alpha_iou),
        BOXES,
        (XYXY, {"alpha": 3.0}),
        (XYXY | {"alpha": 1.5}, {"alpha": 1.5}),
    ),
    *rows(
        "MPDIoU",
        ("formula (Ma 2023)", mpdiou),
        BOXES,
        (XYXY | {"image_size": (60, 80)}, {"height": 60, "width": 80}),
        (XYXY | {"image_size": (200, 100)}, {"height": 200, "width": 100}),
    ),
    *rows("WiseIoU", ("formula (Tong 2023)", wise_iou), BOXES, (XYXY, {})),
    *rows("WiseIoU", ("formula (Tong 2023)", wise_iou), centers, (CENTERS, {}), call=from_centers),
    *rows(
        "NormalizedWasserstein",
        ("formula (Wang 2021)", wasserstein),
        BOXES,
        (XYXY, {"constant": 12.8}),
        (XYXY | {"constant": 5.0}, {"constant": 5.0}),
    ),
    *rows(
        "BoundedIoU",
        IOU + "bounded_iou_loss",
        BOXES,
        (XYXY, EXACT),
        (XYXY | {"beta": 0.5}, EXACT | {"beta": 0.5}),
        call=sum_of_last,
    ),
    *rows(
        "SmoothL1",
        "torch.nn.SmoothL1Loss",
        d.pair(d.normal(6, 4), d.normal(6, 4)),
        ({}, NONE),
        ({"beta": 0.3}, NONE | {"beta": 0.3}),
        call=d.over_last,
    ),
    *rows(
        "BalancedL1",
        "mmdet.models.losses.balanced_l1_loss.balanced_l1_loss",
        d.pair(d.normal(6, 4), d.normal(6, 4)),
        ({}, NONE),
        ({"alpha": 0.4, "gamma": 1.0, "beta": 1.0}, NONE | {"alpha": 0.4, "gamma": 1.0}),
        call=d.over_last,
    ),
    *rows(
        "QualityFocal",
        "mmdet.models.losses.gfocal_loss.quality_focal_loss_tensor_target",
        scores,
        (LOGITS, NONE),
        (LOGITS | {"beta": 1.5}, NONE | {"beta": 1.5}),
        call=mean_of_last,
    ),
    *rows(
        "QualityFocal",
        "pytorch_toolbelt.losses.quality_focal_loss.QualityFocalLoss",
        scores,
        (LOGITS | {"beta": 3.0}, {"reduction": "none", "beta": 3.0}),
        call=d.over_last,
    ),
    *rows("DistributionFocal", "mmdet.models.losses.gfocal_loss.distribution_focal_loss", bins, (LOGITS, NONE)),
    *rows(
        "DistributionFocal",
        "mmdet.models.losses.gfocal_loss.distribution_focal_loss",
        lambda rng: (bins(rng)[0], d.simplex(8, 8)(rng)),
        ({}, NONE),
        call=d.log_of(plain),
    ),
    *rows(
        "Varifocal",
        "mmdet.models.losses.varifocal_loss.varifocal_loss",
        scores,
        (LOGITS, NONE),
        (LOGITS | {"alpha": 0.5, "gamma": 1.5}, NONE | {"alpha": 0.5, "gamma": 1.5}),
        call=d.over_last,
    ),
    *rows(
        "GaussianFocal",
        "mmdet.models.losses.gaussian_focal_loss.gaussian_focal_loss",
        heatmap,
        ({}, NONE),
        ({"alpha": 1.5, "beta": 3.0}, NONE | {"alpha": 1.5, "gamma": 3.0}),
        call=d.over_last,
    ),
    *rows(
        "Wing",
        "pytorch_toolbelt.losses.wing_loss.WingLoss",
        d.pair(d.normal(6, 4, scale=6), d.normal(6, 4, scale=6)),
        ({"width": 10.0, "curvature": 2.0}, NONE | {"width": 10.0, "curvature": 2.0}),
        ({"width": 5.0, "curvature": 0.5}, NONE | {"width": 5.0, "curvature": 0.5}),
        call=d.over_last,
    ),
    *rows(
        "AdaptiveWing",
        ("formula (Wang 2019)", adaptive_wing),
        d.pair(d.uniform(6, 4), d.uniform(6, 4, low=-0.5, high=1.5)),
        ({}, {"omega": 14.0, "theta": 0.5, "epsilon": 1.0, "alpha": 2.1}),
        (
            {"omega": 10.0, "theta": 0.4, "epsilon": 0.5, "alpha": 2.5},
            {"omega": 10.0, "theta": 0.4, "epsilon": 0.5, "alpha": 2.5},
        ),
    ),
    *rows(
        "ObjectKeypointSimilarity",
        ("formula (COCO evaluation)", keypoints),
        people,
        ({"sigmas": SIGMAS}, {"sigma": SIGMAS, "logarithm": False}),
        ({"sigmas": SIGMAS, "mode": "log"}, {"sigma": SIGMAS, "logarithm": True}),
    ),
    *rows(
        "ProbIoU",
        ("formula (Llerena 2021)", probiou),
        rotated(10),
        ({}, {"hellinger": True}),
        ({"mode": "l2"}, {"hellinger": False}),
    ),
    *rows(
        "GaussianWasserstein",
        ("formula (Yang 2021a)", gaussian),
        rotated(10),
        ({"tau": 1.0}, {"kind": "wasserstein", "tau": 1.0}),
        ({"tau": 2.0}, {"kind": "wasserstein", "tau": 2.0}),
    ),
    *rows(
        "GaussianKullbackLeibler",
        ("formula (Yang 2021b)", gaussian),
        rotated(10),
        ({"tau": 1.0}, {"kind": "kl", "tau": 1.0}),
        ({"tau": 2.0}, {"kind": "kl", "tau": 2.0}),
    ),
]
