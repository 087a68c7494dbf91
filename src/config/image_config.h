#pragma once

#include "config/config_fields.h"

namespace asap::config {

/// The layout of the examples in a file of image records.
enum class RecordLayout { cifar10, cifar100, rgb };

/// The label of a CIFAR-100 record that training uses.
enum class Cifar100Labels { fine, coarse };

/// How an image becomes a square.
enum class ImageFit { stretch, crop };

enum class ImageColours { rgb, grey };

/// Images from files, and the augmentation that training applies to images of every source.
struct ImagesConfig {
  RecordLayout layout = RecordLayout::rgb;
  Cifar100Labels labels = Cifar100Labels::fine;
  int record_side = 64;  ///< pixels, of layout rgb
  int size = 0;          ///< pixels along one side after resizing; 0: no resizing
  ImageFit fit = ImageFit::stretch;
  ImageColours colours = ImageColours::rgb;
  int max_side = 4096;   ///< pixels; PNG and JPEG files with more are refused
  bool flip = false;     ///< mirror every other image in training
  int crop_padding = 0;  ///< largest shift of an image in training, in pixels

  template <class Visitor>
  void visit(Visitor& v) {
    v.choice(
        "layout", layout,
        {{"cifar10", RecordLayout::cifar10},
         {"cifar100", RecordLayout::cifar100},
         {"rgb", RecordLayout::rgb}},
        "image_records: the layout of CIFAR-10 or CIFAR-100, or (rgb) one byte for the label and "
        "record_side x record_side bytes each of red, green and blue");
    v.choice("labels", labels, {{"fine", Cifar100Labels::fine}, {"coarse", Cifar100Labels::coarse}},
             "image_records of layout cifar100: its 100 classes, or its 20 groups of classes");
    v.field("record_side", record_side, "image_records of layout rgb: pixels along one side",
            between(1, 4096));
    v.field("size", size,
            "image_records, image_folders: pixels along one side after resizing; 0: no resizing",
            between(0, 4096));
    v.choice("fit", fit, {{"stretch", ImageFit::stretch}, {"crop", ImageFit::crop}},
             "resizing: stretch the whole image, or crop it to the largest square in its middle");
    v.choice("colours", colours, {{"rgb", ImageColours::rgb}, {"grey", ImageColours::grey}},
             "image_records, image_folders: three colour channels, or one of grey");
    v.field("max_side", max_side,
            "image_folders: refuse files with more pixels than this along a side",
            between(1, 16384));
    v.field("flip", flip, "images of every kind: mirror each with probability 1/2 in training");
    v.field("crop_padding", crop_padding,
            "images of every kind: largest random shift in training, in pixels, along both axes",
            between(0, 4096));
  }
};

}  // namespace asap::config
