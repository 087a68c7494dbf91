#pragma once

#include "config/config_fields.h"

namespace asap::config {

/// How files of image records lay out their examples.
enum class RecordLayout { cifar10, cifar100, rgb };

/// Which of the two labels of a CIFAR-100 record is learnt.
enum class Cifar100Labels { fine, coarse };

/// What of an image survives when it is brought to a square.
enum class ImageFit { stretch, crop };

enum class ImageColours { rgb, grey };

/// Images from files, and what training does to images wherever they come from.
struct ImagesConfig {
  RecordLayout layout = RecordLayout::rgb;
  Cifar100Labels labels = Cifar100Labels::fine;
  int record_side = 64;  ///< pixels, of layout rgb
  int size = 0;          ///< pixels along one side after resizing; 0: as they are
  ImageFit fit = ImageFit::stretch;
  ImageColours colours = ImageColours::rgb;
  int max_side = 4096;   ///< pixels; PNG and JPEG files with more are refused
  bool flip = false;     ///< in training, every other image is mirrored
  int crop_padding = 0;  ///< pixels by which training moves images at most

  template <class Visitor>
  void visit(Visitor& v) {
    v.choice("layout", layout,
             {{"cifar10", RecordLayout::cifar10},
              {"cifar100", RecordLayout::cifar100},
              {"rgb", RecordLayout::rgb}},
             "image_records: as CIFAR distributes them, or a byte for the label and record_side x "
             "record_side bytes each of red, green and blue");
    v.choice("labels", labels, {{"fine", Cifar100Labels::fine}, {"coarse", Cifar100Labels::coarse}},
             "image_records of layout cifar100: its 100 classes or their 20 groups");
    v.field("record_side", record_side, "image_records of layout rgb: pixels along one side",
            between(1, 4096));
    v.field("size", size,
            "image_records, image_folders: images are resized to so many pixels along each side; "
            "0: they stay as they are",
            between(0, 4096));
    v.choice("fit", fit, {{"stretch", ImageFit::stretch}, {"crop", ImageFit::crop}},
             "when images are resized: all of them is kept, or the largest square in the middle");
    v.choice("colours", colours, {{"rgb", ImageColours::rgb}, {"grey", ImageColours::grey}},
             "image_records, image_folders: three channels, or one");
    v.field("max_side", max_side, "image_folders: pixels along the longest side there may be",
            between(1, 16384));
    v.field("flip", flip, "images of any kind: each is mirrored with probability 1/2 in training");
    v.field("crop_padding", crop_padding,
            "images of any kind: in training each is moved by up to so many pixels both ways",
            between(0, 4096));
  }
};

}  // namespace asap::config
