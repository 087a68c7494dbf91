#include "data/shift.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "base/text.h"

namespace asap::data {
namespace {

/// Apart from the stream of the same example's augmentation.
constexpr std::uint32_t kNoiseStream = 0x5417F7;

void check_possible(const config::ShiftConfig& shift, const Dataset& dataset) {
  const std::string what = std::string(examples_name(dataset.kind)) + " of " + dataset.name;
  if (dataset.kind == ExampleKind::images && (shift.min_tokens > 0 || shift.max_tokens > 0))
    throw base::UsageError("data.shift: the " + what + " have no lengths to choose by",
                           "leave out data.shift.min_tokens and max_tokens");
  if (shift.max_tokens > 0 && shift.min_tokens > shift.max_tokens)
    throw base::UsageError("data.shift.min_tokens (" + std::to_string(shift.min_tokens) +
                           ") exceeds max_tokens (" + std::to_string(shift.max_tokens) + ")");
  if (dataset.kind == ExampleKind::tokens && shift.noise > 0)
    throw base::UsageError("data.shift.noise: no noise can be added to the " + what,
                           "it is for images and sets of points");
  if (dataset.kind != ExampleKind::images && shift.negative)
    throw base::UsageError("data.shift.negative: the " + what + " have no negatives",
                           "it is for images");
  if (!shift.classes.empty() && dataset.labels_tokens)
    throw base::UsageError("data.shift.classes: every token of the " + what +
                           " has a label of its own");
  for (const int label : shift.classes)
    if (label < 0 || label >= dataset.classes())
      throw base::UsageError("data.shift.classes: " + std::to_string(label) +
                             " is not between 0 and " + std::to_string(dataset.classes() - 1));
}

bool stays(const config::ShiftConfig& shift, const Dataset& dataset, std::int64_t example) {
  const std::int64_t tokens = dataset.tokens(example);
  return (shift.classes.empty() ||
          std::ranges::count(shift.classes, dataset.labels[example]) > 0) &&
         tokens >= shift.min_tokens && (shift.max_tokens == 0 || tokens <= shift.max_tokens);
}

void add_noise(const config::ShiftConfig& shift, Dataset& dataset) {
  const bool images = dataset.kind == ExampleKind::images;
  for (std::int64_t example = 0; example < dataset.size(); ++example) {
    base::RandomStream random(shift.seed, base::RandomPurpose::augmentation,
                              static_cast<std::uint32_t>(example), kNoiseStream);
    if (images) {
      for (std::int64_t i = 0; i < dataset.image_size(); ++i) {
        std::uint8_t& pixel = dataset.pixels[example * dataset.image_size() + i];
        const double noisy = pixel + 255 * shift.noise * random.normal();
        pixel = static_cast<std::uint8_t>(std::lround(std::clamp(noisy, 0.0, 255.0)));
      }
    } else {
      for (std::int64_t i = dataset.offsets[example] * dataset.point_width;
           i < dataset.offsets[example + 1] * dataset.point_width; ++i)
        dataset.points[i] += static_cast<float>(shift.noise * random.normal());
    }
  }
  dataset.fingerprint = dataset_fingerprint(dataset);
}

void invert(Dataset& dataset) {
  for (std::uint8_t& pixel : dataset.pixels) pixel = static_cast<std::uint8_t>(255 - pixel);
  dataset.fingerprint = dataset_fingerprint(dataset);
}

std::string describe(const config::ShiftConfig& shift) {
  std::vector<std::string> parts;
  if (!shift.classes.empty()) {
    std::vector<std::string> labels;
    for (const int label : shift.classes) labels.push_back(std::to_string(label));
    parts.push_back("classes " + base::join(labels, ", "));
  }
  if (shift.min_tokens > 0) parts.push_back("from " + std::to_string(shift.min_tokens) + " tokens");
  if (shift.max_tokens > 0)
    parts.push_back("up to " + std::to_string(shift.max_tokens) + " tokens");
  if (shift.negative) parts.emplace_back("negative");
  if (shift.noise > 0) parts.push_back("noise " + base::format_number(shift.noise));
  return base::join(parts, "; ");
}

/// Moves the parts of the kept examples together. `begin` and `end` give the part of one example.
template <class T, class Begin, class End>
void compact(std::vector<T>& values, std::span<const std::int64_t> examples, const Begin& begin,
             const End& end) {
  if (values.empty()) return;
  auto out = values.begin();
  for (const std::int64_t example : examples) {
    const auto from = values.begin() + begin(example), to = values.begin() + end(example);
    out = out == from ? to : std::move(from, to, out);
  }
  values.erase(out, values.end());
}

}  // namespace

void keep_examples(Dataset& dataset, std::span<const std::int64_t> examples) {
  const auto whole = [&](auto& values, std::int64_t size) {
    compact(
        values, examples, [size](std::int64_t e) { return e * size; },
        [size](std::int64_t e) { return (e + 1) * size; });
  };
  const std::vector<std::int64_t> offsets = dataset.offsets;
  const auto tokens = [&](auto& values, std::int64_t width) {
    compact(
        values, examples, [&](std::int64_t e) { return offsets[e] * width; },
        [&](std::int64_t e) { return offsets[e + 1] * width; });
  };
  if (dataset.labels_tokens)
    tokens(dataset.labels, 1);
  else
    whole(dataset.labels, 1);
  if (dataset.kind == ExampleKind::images) {
    whole(dataset.pixels, dataset.image_size());
  } else {
    tokens(dataset.ids, 1);
    tokens(dataset.points, dataset.point_width);
    dataset.offsets = {0};
    for (const std::int64_t e : examples)
      dataset.offsets.push_back(dataset.offsets.back() + offsets[e + 1] - offsets[e]);
  }
  dataset.fingerprint = dataset_fingerprint(dataset);
}

void apply_shift(const config::ShiftConfig& shift, Dataset& dataset) {
  const std::string done = describe(shift);
  if (done.empty()) return;
  check_possible(shift, dataset);
  std::vector<std::int64_t> kept;
  for (std::int64_t example = 0; example < dataset.size(); ++example)
    if (stays(shift, dataset, example)) kept.push_back(example);
  dataset.name += " (" + done + ")";
  if (kept.empty())
    throw base::DataError(dataset.name + ": no example is left", "relax data.shift");
  if (std::ssize(kept) < dataset.size()) keep_examples(dataset, kept);
  if (shift.negative) invert(dataset);
  if (shift.noise > 0) add_noise(shift, dataset);
}

}  // namespace asap::data
