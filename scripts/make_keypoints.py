#!/usr/bin/python3
"""Makes pairs of sets of keypoints from photographs, to train and test a matcher (model.kind=matcher).

    sudo apt install python3-opencv mate-backgrounds plasma-workspace-wallpapers
    scripts/make_keypoints.py --out DIR                      photographs of Debian packages
    scripts/make_keypoints.py --out DIR --photos FOLDER      your own photographs

Every pair shows one photograph in two views under random homographies, with other exposure, blur, noise and JPEG
quality. OpenCV finds SIFT or ORB keypoints in both, and the homographies tell which belong together: at most 3 pixels
apart in both views, and each other's nearest. Keypoints with no other within 5 pixels have no partner (-1); the rest
are ambiguous (-2), neither trained on nor scored.

Writes DIR/train.npz, DIR/test_moderate.npz and DIR/test_strong.npz, in the format of
src/data/keypoints/keypoint_pairs.h; the test files hold the views of their first eight pairs, for pictures. Test photographs are never in the training set. The same seed, photographs and
OpenCV give the same files. Exits with code 69 if OpenCV is missing.
"""

import argparse
import math
import os
import sys
import time
from pathlib import Path

MISSING_LIBRARY = 69  # EX_UNAVAILABLE of sysexits.h
USAGE = 2
BAD_DATA = 3


def fail(code, text):
    print(f"make_keypoints.py: error: {text}", file=sys.stderr)
    sys.exit(code)


try:
    import cv2
    import numpy as np
except ImportError:
    fail(MISSING_LIBRARY, "OpenCV is missing (hint: apt install python3-opencv, or pip install opencv-python-headless)")

ENDINGS = (".jpg", ".jpeg", ".png", ".pgm", ".ppm", ".bmp", ".tif", ".tiff", ".webp")
LONGEST_SIDE = 2000  # larger photographs are reduced
# Photographs in Debian packages and among the samples of scikit-image and scikit-learn. Those not installed are left
# out; drawings do not belong here.
TRAIN_PHOTOS = tuple(f"backgrounds/mate/nature/{name}.jpg" for name in (
    "Blinds", "Dune", "FreshFlower", "Garden", "GreenMeadow", "LadyBird", "TwoWings", "YellowFlower")) + tuple(
    f"wallpapers/{name}/contents/images/2560x1600.jpg" for name in (
        "Autumn", "BytheWater", "ColorfulCups", "EveningGlow", "Kite", "Path", "summer_1am")) + tuple(
    f"skimage/data/{name}" for name in (
        "astronaut.png", "brick.png", "camera.png", "chelsea.png", "grass.png", "hubble_deep_field.jpg", "ihc.png",
        "moon.png", "retina.jpg"))
TEST_PHOTOS = tuple(f"backgrounds/mate/nature/{name}.jpg" for name in ("Aqua", "RainDrops", "Wood")) + tuple(
    f"wallpapers/{name}/contents/images/2560x1600.jpg" for name in ("FallenLeaf", "OneStandsOut")) + tuple(
    f"skimage/data/{name}" for name in (
        "coffee.png", "coins.png", "gravel.png", "motorcycle_left.png", "rocket.jpg")) + (
    "sklearn/datasets/images/china.jpg", "sklearn/datasets/images/flower.jpg")

# Ranges of the second view: log2 of its scale, rotation in degrees, and perspective and shift as shares of the view;
# and the most noise, in grey levels.
LEVELS = {
    "moderate": {"scale": 0.5, "rotation": 45, "perspective": 0.10, "shift": 0.15, "noise": 6},
    "strong": {"scale": 1.0, "rotation": 180, "perspective": 0.20, "shift": 0.25, "noise": 12},
}
NEAR = 3.0  # pixels: partners are nearer
PICTURED = 8  # pairs whose views are kept: as many as commands draw
FAR = 5.0  # pixels: keypoints without partner are farther from all others


def load_photo(path):
    """The photograph in grey, at most LONGEST_SIDE wide and high."""
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        fail(BAD_DATA, f"{path} is no image that OpenCV reads")
    factor = LONGEST_SIDE / max(image.shape)
    if factor < 1:
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return image


def pyramid(image):
    """The image and its halves, down to some 160 pixels."""
    levels = [image]
    while min(levels[-1].shape) > 160 and len(levels) < 4:
        levels.append(cv2.pyrDown(levels[-1]))
    return levels


def draw_homographies(shape, random, view, level):
    """Two homographies from a photograph [height, width] to square views, mostly inside the photograph."""
    height, width = shape
    corners = np.float32([[0, 0], [view, 0], [view, view], [0, view]])
    for _ in range(50):
        largest = max(0.81, min(3.0, min(height, width) / view * 0.9))
        reduction = math.exp(random.uniform(math.log(0.8), math.log(largest)))  # pixels of the photograph per pixel
        x, y = random.uniform(0.2, 0.8) * width, random.uniform(0.2, 0.8) * height
        first = np.array([[1 / reduction, 0, view / 2 - x / reduction],
                          [0, 1 / reduction, view / 2 - y / reduction], [0, 0, 1]])
        scale = 2 ** random.uniform(-level["scale"], level["scale"])
        turn = math.radians(random.uniform(-level["rotation"], level["rotation"]))
        cosine, sine = scale * math.cos(turn), scale * math.sin(turn)
        shift = view * random.uniform(-level["shift"], level["shift"], 2)
        centre = view / 2
        similarity = np.array([[cosine, -sine, centre - cosine * centre + sine * centre + shift[0]],
                               [sine, cosine, centre - sine * centre - cosine * centre + shift[1]], [0, 0, 1]])
        moved = corners + (random.uniform(-1, 1, (4, 2)) * level["perspective"] * view).astype(np.float32)
        second = cv2.getPerspectiveTransform(corners, moved) @ similarity @ first
        outside = 0
        for homography in (first, second):
            seen = project(np.linalg.inv(homography), corners)
            outside = max(outside, np.max(np.maximum(-seen, seen - [width, height])) / max(height, width))
        if outside < 0.05:
            break
    return first, second


def project(homography, points):
    mapped = np.c_[points, np.ones(len(points))] @ homography.T
    return mapped[:, :2] / mapped[:, 2:]


def render(levels, homography, view):
    """The view of a photograph, from the level of its pyramid that avoids aliasing."""
    centre = np.array([[view / 2, view / 2], [view / 2 + 1, view / 2]])
    seen = project(np.linalg.inv(homography), centre)
    reduction = max(float(np.linalg.norm(seen[1] - seen[0])), 1e-3)
    index = int(np.clip(round(math.log2(reduction)), 0, len(levels) - 1))
    return cv2.warpPerspective(levels[index], homography @ np.diag([2.0**index, 2.0**index, 1]), (view, view),
                               flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def photograph_again(image, random, noise):
    """Other exposure, contrast, illumination, sharpness, noise and JPEG quality."""
    light = image.astype(np.float32) / 255
    light = np.clip(light, 0, 1) ** math.exp(random.uniform(-0.5, 0.5)) * random.uniform(0.6, 1.2)
    light += random.uniform(-0.1, 0.1)
    side = image.shape[0]
    direction = random.uniform(0, 2 * math.pi)
    y, x = np.mgrid[:side, :side] / side - 0.5
    slope = math.cos(direction) * x + math.sin(direction) * y
    light = light * (1 + random.uniform(0, 0.5) * slope).astype(np.float32)
    blur = random.uniform(0, 1.2)
    if blur > 0.3:
        light = cv2.GaussianBlur(light, (0, 0), blur)
    grey = np.clip(light * 255 + random.normal(0, random.uniform(0, noise), light.shape), 0, 255).astype(np.uint8)
    packed = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(random.uniform(50, 96))])[1]
    return cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)


def make_detector(name, most):
    if name == "orb":
        return cv2.ORB_create(nfeatures=2 * most), 32
    return cv2.SIFT_create(nfeatures=2 * most, contrastThreshold=0.02), 128


def detect(detector, width, image, most):
    """The strongest keypoints [N, 5] and their descriptors [N, width], at most one at a place."""
    found, descriptors = detector.detectAndCompute(image, None)
    if descriptors is None:
        return np.zeros((0, 5), np.float32), np.zeros((0, width), np.uint8)
    points = np.float32([[*k.pt, k.size, k.angle, k.response] for k in found])
    order = np.argsort(-points[:, 4], kind="stable")
    points, descriptors = points[order], descriptors[order]
    _, first = np.unique(np.round(points[:, :2] * 4).astype(np.int64), axis=0, return_index=True)
    kept = np.sort(first)[:most]
    return points[kept], np.clip(descriptors[kept], 0, 255).astype(np.uint8)


def true_partners(points0, points1, homography):
    """The partners of both sets: an index, -1 without one, -2 where it is not clear."""
    there = np.linalg.norm(project(homography, points0[:, :2])[:, None] - points1[None, :, :2], axis=2)
    back = project(np.linalg.inv(homography), points1[:, :2])
    distance = np.maximum(there, np.linalg.norm(points0[:, None, :2] - back[None], axis=2))
    nearest0, nearest1 = distance.argmin(1), distance.argmin(0)
    matches0 = np.where(distance.min(1) > FAR, -1, -2)
    matches1 = np.where(distance.min(0) > FAR, -1, -2)
    mutual = nearest1[nearest0] == np.arange(len(points0))
    rows = np.nonzero(mutual & (distance.min(1) < NEAR))[0]
    matches0[rows] = nearest0[rows]
    matches1[nearest0[rows]] = rows
    return matches0.astype(np.int32), matches1.astype(np.int32)


def make_pairs(photos, level, count, most, options, seed):
    """The arrays of `count` pairs; `level` is one of LEVELS or mixed, which keeps no views. Gives up when photographs
    show too little."""
    random = np.random.default_rng(seed)
    detector, width = make_detector(options.detector, most)
    pyramids = [pyramid(load_photo(path)) for path in photos]
    lists = {name: [] for name in ("keypoints0", "keypoints1", "descriptors0", "descriptors1", "matches0", "matches1")}
    homographies, used, kept_views = [], [], []
    tried = 0
    while len(used) < count:
        if tried > 40 * (len(used) + 25):
            fail(BAD_DATA, f"of {tried} pairs tried only {len(used)} have enough keypoints in both views "
                           f"(hint: use photographs with more detail, or --keypoints less than {most})")
        photo = tried % len(photos)
        tried += 1
        ranges = LEVELS[level if level != "mixed" else ("moderate", "strong")[int(random.integers(2))]]
        first, second = draw_homographies(pyramids[photo][0].shape, random, options.view, ranges)
        views = [photograph_again(render(pyramids[photo], h, options.view), random, ranges["noise"])
                 for h in (first, second)]
        (points0, descriptors0), (points1, descriptors1) = (detect(detector, width, v, most) for v in views)
        if min(len(points0), len(points1)) < max(most // 4, 2):
            continue
        homography = second @ np.linalg.inv(first)
        matches0, matches1 = true_partners(points0, points1, homography)
        if (matches0 >= 0).sum() < most // 16:
            continue
        for name, value in zip(lists, (points0, points1, descriptors0, descriptors1, matches0, matches1)):
            lists[name].append(value)
        homographies.append(homography)
        used.append(photo)
        if level != "mixed" and len(kept_views) < PICTURED:
            kept_views.append(views)
    arrays = {name: np.concatenate(parts) for name, parts in lists.items()}
    for image in "01":
        lengths = [len(matches) for matches in lists[f"matches{image}"]]
        arrays[f"offset{image}"] = np.r_[0, np.cumsum(lengths)].astype(np.int64)
    arrays["homography"] = np.array(homographies)
    arrays["size"] = np.full((count, 2, 2), options.view, np.int32)
    arrays["photo"] = np.array(used, np.int32)
    if kept_views:
        for image in range(2):
            arrays[f"image{image}"] = np.stack([views[image] for views in kept_views])
    return arrays, tried


def package_photos(root):
    """Installed photographs of the lists above: to train on and to test on."""
    folders = [root / "usr/share", root / "usr/lib/python3/dist-packages", *(Path(base) for base in sys.path)]
    found = []
    for names in (TRAIN_PHOTOS, TEST_PHOTOS):
        candidates = [[folder / name for folder in folders if (folder / name).is_file()] for name in names]
        found.append([files[0] for files in candidates if files])
    return found


def own_photos(folders, share, seed):
    """Photographs of the user's folders, a drawn share of them for testing."""
    files = []
    for folder in folders:
        if not folder.is_dir():
            fail(USAGE, f"--photos {folder} is not a folder")
        files += sorted(file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS)
    if len(files) < 2:
        fail(BAD_DATA, f"--photos: {len(files)} photographs found, at least 2 are needed: test photographs are not "
                       f"trained on (known endings: {', '.join(ENDINGS)})")
    order = np.random.default_rng(seed).permutation(len(files))
    tests = max(1, min(len(files) - 1, round(share * len(files))))
    return [files[i] for i in sorted(order[tests:])], [files[i] for i in sorted(order[:tests])]


def write(path, arrays):
    """Writes the file under its name only when it is complete."""
    partial = path.with_name(path.name + ".partial")
    with open(partial, "wb") as file:
        np.savez(file, **arrays)
    os.replace(partial, path)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the three files")
    parser.add_argument("--photos", type=Path, action="append", default=[], metavar="FOLDER",
                        help="folder of your own photographs, sub-folders included; may be repeated")
    parser.add_argument("--root", type=Path, default=Path("/"), metavar="DIR",
                        help="where the packages are unpacked (dpkg -x), if they are not installed")
    parser.add_argument("--pairs", type=int, default=3000, metavar="N", help="training pairs (default 3000)")
    parser.add_argument("--test-pairs", type=int, default=100, metavar="N", help="pairs of each test file (100)")
    parser.add_argument("--test-share", type=float, default=0.25, metavar="SHARE",
                        help="share of your own photographs to test on (.25)")
    parser.add_argument("--view", type=int, default=480, metavar="PIXELS", help="width and height of a view (480)")
    parser.add_argument("--keypoints", type=int, default=512, metavar="N", help="most keypoints of a test view (512)")
    parser.add_argument("--train-keypoints", type=int, default=256, metavar="N",
                        help="most keypoints of a training view (256)")
    parser.add_argument("--detector", choices=("sift", "orb"), default="sift", help="detector (sift)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of views and noise (1)")
    options = parser.parse_args()
    for name in ("pairs", "test_pairs", "view", "keypoints", "train_keypoints"):
        if getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    if not 0 < options.test_share < 1:
        parser.error("--test-share must be between 0 and 1")
    return options


def main():
    options = parse_options()
    cv2.setNumThreads(1)
    if options.photos:
        train, test = own_photos(options.photos, options.test_share, options.seed)
    else:
        train, test = package_photos(options.root)
        if not train or not test:
            fail(BAD_DATA, "the photographs of Debian's packages are not installed (hint: apt install mate-backgrounds "
                           "plasma-workspace-wallpapers python3-skimage python3-sklearn, or --photos FOLDER)")
    print(f"photographs: {len(train)} to train on, {len(test)} to test on")
    options.out.mkdir(parents=True, exist_ok=True)
    for name, photos, level, count, most, seed in (
            ("test_moderate", test, "moderate", options.test_pairs, options.keypoints, [options.seed, 1]),
            ("test_strong", test, "strong", options.test_pairs, options.keypoints, [options.seed, 2]),
            ("train", train, "mixed", options.pairs, options.train_keypoints, [options.seed, 3])):
        start = time.time()
        arrays, tried = make_pairs(photos, level, count, most, options, seed)
        path = options.out / f"{name}.npz"
        write(path, arrays)
        lengths = np.diff(arrays["offset0"])
        print(f"{path}: {count} pairs of {tried} tried, {lengths.mean():.0f} keypoints a view, "
              f"{(arrays['matches0'] >= 0).sum() / count:.0f} matches a pair, {time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
