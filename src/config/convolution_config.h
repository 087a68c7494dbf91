#pragma once

#include <cstdint>
#include <vector>

#include "config/config_fields.h"

namespace asap::config {

/// One convolution of a network.
struct ConvolutionLayer {
  std::int64_t window;  ///< numbers that a filter reads: 9 pixels of all its inputs
  int channels;         ///< filters
  bool ends_block;      ///< max pooling follows
};

/// The convolutional part of a network: blocks of 3 x 3 convolutions, each followed by batch norm
/// and ReLU, with 2 x 2 max pooling at the end of every block (Simonyan and Zisserman 2015).
struct ConvolutionConfig {
  std::vector<int> channels = {32, 64, 128};
  int layers = 2;

  int blocks() const { return static_cast<int>(channels.size()); }
  /// Pixels along one side after all blocks.
  int pooled(int pixels) const { return pixels >> blocks(); }

  /// All convolutions, in order. colours: channels of the images.
  std::vector<ConvolutionLayer> convolutions(int colours) const {
    constexpr std::int64_t kPixels = 9;  // of a 3 x 3 window
    std::vector<ConvolutionLayer> all;
    std::int64_t inputs = colours;
    for (const int outputs : channels)
      for (int index = 0; index < layers; ++index) {
        all.push_back({kPixels * inputs, outputs, index + 1 == layers});
        inputs = outputs;
      }
    return all;
  }

  template <class Visitor>
  void visit(Visitor& v) {
    v.field("channels", channels, "convolutional: channels of each block; a block halves the image",
            between(1, 4096));
    v.field("layers", layers, "convolutional: convolutions in each block", between(1, 100));
  }
};

}  // namespace asap::config
