#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "evaluate/compare/comparison.h"
#include "evaluate/compare/method.h"
#include "tensor/core/tensor.h"

namespace asap::evaluate {

/// An example as readers see it. Only the members of its kind are filled.
struct ShownInput {
  int channels = 0, height = 0, width = 0;
  std::vector<std::uint8_t> pixels;          ///< [channels, height, width], reduced if large
  int patches_down = 0, patches_across = 0;  ///< of an image, in tokens: one per patch, row by row
  std::vector<std::string> tokens;           ///< of a text; of wide points their numbers
  tensor::Tensor<float> points;              ///< [n, 2 or 3]
  bool class_token = false;                  ///< whether a class token comes first
};

/// One example with what attention does to it in every layer and head.
struct ShownExample {
  std::int64_t index = 0;                ///< in the data set
  std::string truth;                     ///< its class; empty where every token has one
  std::vector<std::string> predictions;  ///< by method
  ShownInput input;
  std::int64_t tokens = 0;  ///< rows and columns of its plans as the network has them
  int cell = 1;             ///< tokens that share one row or column of `plans`, by their mean
  /// [method][layer * heads + head] -> [ceil(tokens / cell), the same]
  std::vector<std::vector<tensor::Tensor<float>>> plans;
};

/// Attention plans of some examples, the same queries and keys for every method: those of the
/// teacher's own pass.
struct PlanGallery {
  std::vector<std::string> methods;  ///< the teacher first
  std::size_t truncated = 0;         ///< the method to show first beside teacher and compiled
  std::size_t compiled = 0;          ///< 0: there is none
  int layers = 0, heads = 0;
  std::vector<ShownExample> examples;
};

struct GallerySettings {
  int examples = 6;
  std::int64_t cells = 1'000'000;  ///< of all plans together; beyond, plans are shown coarser
};

/// The Sinkhorn truncation worth showing beside the compiled operator: the one of equal latency,
/// else the one with most iterations; of these methods' names the index, or -1.
int shown_truncation(const std::vector<MethodResult>& methods);

/// Some examples: the first of several classes and, where there are such, one or two that the
/// compiled operator classifies differently from the teacher. A pure function of the predictions.
std::vector<std::int64_t> choose_examples(const data::Dataset& dataset,
                                          const Comparison& comparison, int count);

/// Means of cells of `cell` x `cell` entries, smaller at the end: [ceil(n / cell), ceil(m / cell)].
tensor::Tensor<float> coarser_plan(tensor::MatrixView<const float> plan, int cell);

/// Runs the examples through the network. `comparison` gives methods and predictions; methods in
/// some layers only are left out, and with long examples or many heads all but a truncation and the
/// compiled operator.
PlanGallery collect_plans(const infer::Encoder& encoder, const CompiledHeads* compiled,
                          const data::Dataset& dataset, const Comparison& comparison,
                          const GallerySettings& settings);

}  // namespace asap::evaluate
