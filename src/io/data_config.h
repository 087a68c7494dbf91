#pragma once

#include <cstdint>
#include <string>

#include "io/config_fields.h"

namespace asap {

/// Where labelled images come from: IDX files (the format of MNIST), or drawn on the spot.
enum class DataKind { idx, shapes };

/// Images of drawn shapes: see data/shapes_dataset.h.
struct ShapesConfig {
  int examples = 4000;
  int test_examples = 1000;
  int image_size = 16;  ///< pixels along one side
  double noise = 0.1;   ///< standard deviation, for pixels in [0, 1]
  std::uint64_t seed = 1;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("examples", examples, "training images to draw", between(1, 10'000'000));
    v.field("test_examples", test_examples, "test images to draw", between(1, 10'000'000));
    v.field("image_size", image_size, "pixels along one side", between(8, 1024));
    v.field("noise", noise, "standard deviation of the noise, for pixels from 0 to 1",
            between(0, 1));
    v.field("seed", seed, "which images are drawn; apart from the seed of the training");
  }
};

struct DataConfig {
  DataKind kind = DataKind::idx;
  std::string path;                    ///< folder of the files; empty: found by name
  std::string name = "fashion-mnist";  ///< which data set
  int classes = 10;                    ///< labels run from 0 to classes - 1
  int train_examples = 0;              ///< keep the first so many; 0: all
  int test_examples = 0;               ///< keep the first so many; 0: all
  double pixel_mean = 0.5;             ///< subtracted from pixels, which run from 0 to 1
  double pixel_deviation = 0.5;        ///< pixels are divided by it afterwards
  ShapesConfig shapes;

  template <class Visitor>
  void visit(Visitor& v) {
    v.choice("kind", kind, {{"idx", DataKind::idx}, {"shapes", DataKind::shapes}},
             "idx: files in the format of MNIST; shapes: drawn images, which need no files");
    v.field("path", path,
            "idx: folder of the files; empty: ASAP_DATA_DIR, then installed packages");
    v.field("name", name, "idx: name of the data set, such as fashion-mnist");
    v.field("classes", classes, "labels run from 0 to classes - 1", between(2, 1'000'000));
    v.field("train_examples", train_examples, "keep the first so many training images; 0: all",
            at_least(0));
    v.field("test_examples", test_examples, "keep the first so many test images; 0: all",
            at_least(0));
    v.field("pixel_mean", pixel_mean, "subtracted from pixels, which run from 0 to 1",
            between(0, 1));
    v.field("pixel_deviation", pixel_deviation, "pixels are divided by it afterwards",
            between(1e-3, 1e3));
    v.group("shapes", shapes, "how shapes are drawn");
  }
};

}  // namespace asap
