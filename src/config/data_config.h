#pragma once

#include <cstdint>
#include <string>

#include "config/config_fields.h"
#include "config/generated_data_config.h"
#include "config/image_config.h"
#include "config/shift_config.h"
#include "config/text_config.h"

namespace asap::config {

/// The source of labelled examples: files (IDX, the format of MNIST; image records such as CIFAR's;
/// folders of PNG and JPEG; sets of points; labelled texts) or a generator.
enum class DataKind {
  idx,
  shapes,
  majority,
  points,
  solids,
  matching,
  listops,
  image_records,
  image_folders,
  text
};

/// Images of drawn shapes: see data/images/shapes_dataset.h.
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
    v.field("noise", noise, "standard deviation of the noise; pixels run from 0 to 1",
            between(0, 1));
    v.field("seed", seed, "seed of the drawn images, separate from the seed of the training");
  }
};

/// Drawn token sequences: see data/texts/majority_dataset.h.
struct MajorityConfig {
  int examples = 2000;
  int test_examples = 500;
  int min_tokens = 4;
  int max_tokens = 32;
  int other_tokens = 8;  ///< number of token ids that belong to no class
  std::uint64_t seed = 1;

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("examples", examples, "training sequences to draw", between(1, 10'000'000));
    v.field("test_examples", test_examples, "test sequences to draw", between(1, 10'000'000));
    v.field("min_tokens", min_tokens, "length of the shortest sequence, in tokens",
            between(1, 100'000));
    v.field("max_tokens", max_tokens, "length of the longest sequence, in tokens",
            between(1, 100'000));
    v.field("other_tokens", other_tokens, "number of token ids that belong to no class",
            between(1, 1'000'000));
    v.field("seed", seed, "seed of the drawn sequences, separate from the seed of the training");
  }
};

struct DataConfig {
  DataKind kind = DataKind::idx;
  std::string path;                    ///< folder of the files; empty: search by name
  std::string name = "fashion-mnist";  ///< which data set
  int classes = 10;                    ///< labels run from 0 to classes - 1; texts ignore it
  int train_examples = 0;              ///< use only the first N; 0: all
  int test_examples = 0;               ///< use only the first N; 0: all
  double test_fraction = 0;            ///< texts without a test part: part to test on; 0: none
  std::uint64_t split_seed = 1;        ///< of the drawing of that part
  double pixel_mean = 0.5;             ///< subtracted from pixels, which run from 0 to 1
  double pixel_deviation = 0.5;        ///< pixels are divided by it afterwards
  ShapesConfig shapes;
  MajorityConfig majority;
  TextConfig text;
  PointsConfig points;
  SolidsConfig solids;
  MatchingConfig matching;
  ListopsConfig listops;
  ImagesConfig images;
  ShiftConfig shift;

  template <class Visitor>
  void visit(Visitor& v) {
    v.choice(
        "kind", kind,
        {{"idx", DataKind::idx},
         {"shapes", DataKind::shapes},
         {"majority", DataKind::majority},
         {"points", DataKind::points},
         {"solids", DataKind::solids},
         {"matching", DataKind::matching},
         {"listops", DataKind::listops},
         {"image_records", DataKind::image_records},
         {"image_folders", DataKind::image_folders},
         {"text", DataKind::text}},
        "source of the examples: images in the format of MNIST (idx), in fixed-size records like "
        "those of CIFAR (image_records), in folders of PNG and JPEG files (image_folders) or drawn "
        "(shapes); sets of points from files (points) or drawn (solids); drawn pairs of codes "
        "(matching); drawn token sequences (majority, listops); labelled texts from files (text)");
    v.field("path", path,
            "folder of the files; empty: search ASAP_DATA_DIR, then installed packages");
    v.field("name", name, "name of a data set in files, for example fashion-mnist or modelnet10");
    v.field(
        "classes", classes,
        "number of classes, with labels from 0 to classes - 1; image_folders, text: not used, the "
        "training part decides",
        between(2, 1'000'000));
    v.field("train_examples", train_examples, "use only the first N training examples; 0: all",
            at_least(0));
    v.field("test_examples", test_examples, "use only the first N test examples; 0: all",
            at_least(0));
    v.field(
        "test_fraction", test_fraction,
        "text, for one file or folder without a test part: the fraction of different texts to "
        "test on, drawn by a hash of the text, so that equal texts are on one side; 0: the test "
        "part is in files of its own",
        between(0, 0.9));
    v.field("split_seed", split_seed,
            "seed of test_fraction, separate from the seed of the training");
    v.field("pixel_mean", pixel_mean, "value subtracted from every pixel; pixels run from 0 to 1",
            between(0, 1));
    v.field("pixel_deviation", pixel_deviation, "value that every pixel is then divided by",
            between(1e-3, 1e3));
    v.group("shapes", shapes, "drawn images of shapes");
    v.group("majority", majority, "drawn token sequences of kind majority");
    v.group("text", text, "labelled texts; word_dropout applies to token sequences of every kind");
    v.group("points", points, "sets of points, of kinds points and solids");
    v.group("solids", solids, "drawn sets of points of kind solids");
    v.group("matching", matching, "drawn pairs of codes");
    v.group("listops", listops, "drawn ListOps expressions");
    v.group("images", images, "images from files, and the augmentation of images in training");
    v.group("shift", shift, "distribution shift: keep some classes or lengths, invert, add noise");
  }
};

}  // namespace asap::config
