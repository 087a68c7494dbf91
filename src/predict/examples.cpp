#include "predict/examples.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "data/model_fit.h"

namespace asap::predict {

void Examples::append(const Examples& others, std::int64_t index) {
  const data::Dataset& from = others.dataset;
  if (from.kind == data::ExampleKind::images) {
    const auto first = from.pixels.begin() + index * from.image_size();
    dataset.pixels.insert(dataset.pixels.end(), first, first + from.image_size());
  } else {
    const std::int64_t begin = from.offsets[static_cast<std::size_t>(index)];
    const std::int64_t end = from.offsets[static_cast<std::size_t>(index) + 1];
    if (from.kind == data::ExampleKind::tokens)
      dataset.ids.insert(dataset.ids.end(), from.ids.begin() + begin, from.ids.begin() + end);
    else
      dataset.points.insert(dataset.points.end(), from.points.begin() + begin * from.point_width,
                            from.points.begin() + end * from.point_width);
    dataset.offsets.push_back(dataset.offsets.back() + end - begin);
  }
  const auto label = others.labels.begin() + others.first_answer(index);
  labels.insert(labels.end(), label, label + others.answer_count(index));
  dataset.labels.resize(labels.size(), 0);
  ids.push_back(others.ids[static_cast<std::size_t>(index)]);
}

void require_answers_per_example(const bundle::TrainedModel& model) {
  if (model.config.model.labels_tokens())
    throw base::UsageError(
        model.source + ": the network labels every token; it has no answer for an example",
        "asap-eval predict gives its answers");
}

Examples no_examples(const bundle::TrainedModel& model) {
  const config::ModelConfig& network = model.config.model;
  Examples none;
  data::Dataset& dataset = none.dataset;
  dataset.kind = data::examples_read_by(network.kind);
  dataset.class_names = model.class_names;
  if (dataset.kind == data::ExampleKind::images) {
    dataset.channels = network.channels;
    dataset.height = network.image_height;
    dataset.width = network.image_width;
    dataset.pixel_mean = model.config.data.pixel_mean;
    dataset.pixel_deviation = model.config.data.pixel_deviation;
    return none;
  }
  dataset.offsets = {0};
  dataset.vocabulary = network.vocabulary;
  dataset.point_width = network.point_width;
  dataset.labels_tokens = network.labels_tokens();
  if (!dataset.labels_tokens) dataset.drawn_points = model.config.data.points.count;
  if (dataset.kind == data::ExampleKind::tokens && !model.codec)
    throw base::UsageError(
        model.source + ": the network was trained on drawn token sequences and has no tokenizer",
        "networks that were trained with data.kind text read texts");
  return none;
}

std::int32_t class_of(const bundle::TrainedModel& model, const std::string& name) {
  if (model.codec)
    if (const int known = model.codec->class_of(name); known >= 0) return known;
  const auto found = std::ranges::find(model.class_names, name);
  if (found != model.class_names.end())
    return static_cast<std::int32_t>(found - model.class_names.begin());
  return data::kNotScored;
}

}  // namespace asap::predict
