"""A small file of pairs of keypoints: image 1 is image 0 moved, with its keypoints in another order."""

import random
import struct
import zipfile


def array(kind, shape, values):
    """The bytes of an .npy file; `kind`: a type of NumPy, "<f4"."""
    letter = {"<f4": "f", "<i8": "q", "<i4": "i", "|u1": "B"}[kind]
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack(f"<{len(values)}{letter}", *values)


def write_pairs(path, count, keypoints, width=16):
    rng = random.Random(1)
    images = [{"offset": [0], "keypoints": [], "descriptors": [], "matches": []} for _ in range(2)]
    for _ in range(count):
        order = rng.sample(range(keypoints), keypoints)  # of image 1
        places = [(rng.uniform(20, 80), rng.uniform(20, 80)) for _ in range(keypoints)]
        descriptors = [[rng.randrange(256) for _ in range(width)] for _ in range(keypoints)]
        for image, points, shift in ((images[0], range(keypoints), 0), (images[1], order, 5)):
            for place, point in enumerate(points):
                x, y = places[point]
                image["keypoints"] += [x + shift, y - shift, 3, 30, 0.01 * (keypoints - place)]
                image["descriptors"] += descriptors[point]
                image["matches"].append(order.index(point) if shift == 0 else point)
            image["offset"].append(len(image["matches"]))
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("size.npy", array("<i4", (count, 2, 2), [100] * (4 * count)))
        for number, image in enumerate(images):
            rows = len(image["matches"])
            for name, kind, shape in (("offset", "<i8", (count + 1,)), ("keypoints", "<f4", (rows, 5)),
                                      ("descriptors", "|u1", (rows, width)), ("matches", "<i4", (rows,))):
                file.writestr(f"{name}{number}.npy", array(kind, shape, image[name]))
