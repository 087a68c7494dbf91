#include "data/dataset.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/files.h"
#include "base/format.h"
#include "data/shift.h"
#include "io/json.h"

namespace asap::data {
namespace {

template <class T>
std::string_view bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string image_sizes(const Dataset& dataset) {
  return "x" + std::to_string(dataset.channels) + "x" + std::to_string(dataset.height) + "x" +
         std::to_string(dataset.width);
}

}  // namespace

const char* split_name(Split split) { return split == Split::train ? "train" : "test"; }

const char* examples_name(ExampleKind kind) {
  if (kind == ExampleKind::images) return "images";
  return kind == ExampleKind::tokens ? "texts" : "point sets";
}

std::string doubt_about_labels(const Dataset& dataset) {
  if (dataset.labels_tokens) return "";
  std::vector<std::int64_t> counts(dataset.class_names.size());
  for (const std::int32_t label : dataset.labels)
    if (label >= 0 && label < std::ssize(counts)) ++counts[static_cast<std::size_t>(label)];
  const std::int64_t single = std::ranges::count(counts, 1);
  constexpr std::int64_t kFewest = 4;  // smaller sets are made by hand
  if (dataset.size() < kFewest || 2 * single <= dataset.size()) return "";
  return base::format_count(single) + " of " + base::format_count(dataset.size()) + " " +
         examples_name(dataset.kind) + " are the only ones of their class" +
         (dataset.kind != ExampleKind::tokens
              ? "; are these the labels?"
              : "; is data.text.label_column right?" +
                    (dataset.likely_label.empty() ? "" : " (" + dataset.likely_label + ")"));
}

std::string describe_classes(const Dataset& dataset) {
  constexpr std::size_t kMostNamed = 5;
  if (dataset.columns.empty()) return "";
  std::string names;
  for (std::size_t i = 0; i < std::min(dataset.class_names.size(), kMostNamed); ++i)
    names += (i == 0 ? "" : ", ") + io::excerpt(dataset.class_names[i]);
  if (dataset.class_names.size() > kMostNamed) names += ", ...";
  return base::format_count(dataset.classes()) + ": " + names + " (" + dataset.columns + ")";
}

std::string describe_skipped(const Dataset& dataset) {
  if (dataset.skipped.empty()) return "";
  return dataset.skipped + " in " + dataset.name + ": not " +
         (dataset.kind == ExampleKind::images ? ".png, .jpg or .jpeg" : ".txt");
}

std::int64_t Dataset::longest() const {
  std::int64_t most = 0;
  for (std::int64_t example = 0; example < size(); ++example)
    most = std::max(most, tokens(example));
  return most;
}

std::string dataset_fingerprint(const Dataset& dataset) {
  // Each part is hashed on its own first, so that a byte that moves from one part to the next
  // changes the fingerprint.
  const bool images = dataset.kind == ExampleKind::images;
  std::string text = std::to_string(dataset.size()) + (images ? image_sizes(dataset) : "") + "/" +
                     std::to_string(dataset.classes()) + " ";
  if (images)
    text += base::content_fingerprint(bytes_of(dataset.pixels));
  else
    text += std::to_string(dataset.vocabulary) + "x" + std::to_string(dataset.point_width) + " " +
            base::content_fingerprint(bytes_of(dataset.offsets)) + " " +
            base::content_fingerprint(bytes_of(dataset.ids)) + " " +
            base::content_fingerprint(bytes_of(dataset.points));
  return base::content_fingerprint(text + " " +
                                   base::content_fingerprint(bytes_of(dataset.labels)));
}

void keep_first(Dataset& dataset, std::int64_t count) {
  if (count <= 0 || count >= dataset.size()) return;
  std::vector<std::int64_t> first(static_cast<std::size_t>(count));
  std::iota(first.begin(), first.end(), std::int64_t{0});
  keep_examples(dataset, first);
}

std::vector<std::int64_t> length_order(const Dataset& dataset) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(dataset.size()));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::ranges::stable_sort(order, {}, [&](std::int64_t i) { return dataset.tokens(i); });
  return order;
}

std::int64_t count_scored(const Dataset& dataset, std::span<const std::int64_t> examples) {
  std::int64_t count = 0;
  for (const std::int64_t example : examples)
    for (std::int64_t i = 0; i < dataset.label_count(example); ++i)
      if (dataset.labels[dataset.first_label(example) + i] != kNotScored) ++count;
  return count;
}

}  // namespace asap::data
