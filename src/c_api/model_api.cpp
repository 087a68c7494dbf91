#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <mutex>

#include "bundle/bundle_file.h"
#include "c_api/guarded.h"
#include "c_api/threads.h"
#include "data/model_fit.h"
#include "data/points/point_set.h"
#include "io/utf8.h"
#include "predict/predictor.h"
#include "predict/text_input.h"

using asap::base::UsageError;

struct asap_model {
  asap::bundle::TrainedModel network;
  asap::evaluate::Method method;
  std::string method_name;
  std::mutex mutex;  // of the predictor, which keeps its buffers from call to call
  asap::predict::PredictorConfig config;
  std::unique_ptr<asap::predict::Predictor> predictor;

  asap_model(asap::bundle::TrainedModel loaded, const char* wanted)
      : network(std::move(loaded)),
        method(asap::predict::method_of(wanted ? wanted : "", network)),
        method_name(network.encoder.config().has_attention() ? method.name() : "none") {
    if (method.cascade)
      throw UsageError("method: a cascade chooses its threshold on training data",
                       "asap-eval predict has cascades");
    asap::predict::require_answers_per_example(network);
    asap::predict::no_examples(network);  // refuses networks without a tokenizer
  }
};

namespace asap::c_api {
namespace {

constexpr std::int64_t kMostExamples = std::int64_t{1} << 31;

asap_input input_of(const bundle::TrainedModel& network) {
  switch (data::examples_read_by(network.config.model.kind)) {
    case data::ExampleKind::tokens:
      return ASAP_TEXTS;
    case data::ExampleKind::images:
      return ASAP_IMAGES;
    case data::ExampleKind::points:
      return ASAP_POINTS;
  }
  throw base::InternalError("input_of: unknown kind");
}

void require_input(const asap_model& model, asap_input input, const char* function) {
  if (input_of(model.network) != input)
    throw UsageError(
        std::string(function) + ": the network reads " +
            data::examples_name(data::examples_read_by(model.network.config.model.kind)),
        "asap_model_describe tells what it reads");
}

/// The predictor for what is wanted now.
predict::Predictor& predictor_of(asap_model& model, const asap_answers& answers) {
  const bool embeddings = answers.embeddings != nullptr;
  const bool certificate = answers.column_errors != nullptr;
  if (!model.predictor || model.config.threads != threads() ||
      model.config.embeddings != embeddings || model.config.certificate != certificate) {
    model.config.threads = threads();
    model.config.embeddings = embeddings;
    model.config.certificate = certificate;
    model.predictor.reset();
    model.predictor =
        std::make_unique<predict::Predictor>(model.network, model.method, model.config);
  }
  return *model.predictor;
}

void write(const predict::Answers& from, const asap_answers& to) {
  const tensor::MatrixView<const float> logits = from.logits.rows();
  for (std::int64_t i = 0; i < logits.rows; ++i) {
    if (to.probabilities)
      std::ranges::copy(predict::class_probabilities(logits.row(i)),
                        to.probabilities + i * logits.cols);
    if (to.classes) to.classes[i] = predict::top_classes(logits.row(i), 1)[0];
    if (to.column_errors) to.column_errors[i] = from.certificates[static_cast<std::size_t>(i)].mean;
  }
  if (to.embeddings) std::ranges::copy(from.embeddings.flat(), to.embeddings);
}

void answer(asap_model& model, const predict::Examples& examples, const asap_answers& answers) {
  if (examples.size() == 0) return;
  const std::lock_guard lock(model.mutex);
  write(predictor_of(model, answers).answer(examples), answers);
}

/// Checks what all kinds of input have in common.
void check_call(const asap_model* model, const void* examples, std::size_t count,
                const asap_answers* answers, asap_input input, const char* function) {
  require(model, "model");
  require(answers, "answers");
  require_input(*model, input, function);
  if (count > static_cast<std::size_t>(kMostExamples))
    throw UsageError("count is too large", "call it for parts of the examples");
  if (count > 0) require(examples, "the array of examples");
}

void name_examples(predict::Examples& examples, std::size_t count) {
  examples.ids.resize(count);
  examples.labels.assign(count, data::kNotScored);
  examples.dataset.labels.assign(count, 0);
}

predict::Examples examples_of_texts(const asap_model& model, const char* const* texts,
                                    const std::size_t* lengths, std::size_t count) {
  std::vector<predict::RawText> raw;
  for (std::size_t i = 0; i < count; ++i) {
    require(texts[i], "a text");
    const std::string place = "text " + std::to_string(i);
    const std::string_view text(texts[i], lengths ? lengths[i] : std::strlen(texts[i]));
    if (io::find_invalid_utf8(text) != std::string_view::npos)
      throw UsageError(place + " is not UTF-8");
    raw.push_back({std::to_string(i), std::string(text), "", place});
  }
  predict::Examples examples = predict::no_examples(model.network);
  predict::Faults faults(
      [](const base::DataError& error, std::int64_t) { throw UsageError(error.what()); });
  predict::append_texts(model.network, raw, threads(), examples, faults);
  return examples;
}

predict::Examples examples_of_points(const asap_model& model, const float* points,
                                     const std::int64_t* lengths, std::size_t count) {
  predict::Examples examples = predict::no_examples(model.network);
  data::Dataset& dataset = examples.dataset;
  dataset.name = "points";
  for (std::size_t i = 0; i < count; ++i) {
    require_range(lengths[i], 1, kMostExamples, "a length");
    dataset.offsets.push_back(dataset.offsets.back() + lengths[i]);
    if (dataset.offsets.back() > kMostExamples) throw UsageError("the lengths are too large");
  }
  dataset.points.assign(points, points + dataset.offsets.back() * dataset.point_width);
  name_examples(examples, count);
  for (const float value : dataset.points)
    if (!std::isfinite(value)) throw base::NumericalError("points: a coordinate is not finite");
  examples.dataset = data::finish_point_sets(std::move(dataset), model.network.config.data.points);
  return examples;
}

}  // namespace
}  // namespace asap::c_api

using namespace asap::c_api;

extern "C" {

asap_status asap_model_load(const char* path, const char* method, asap_model** model,
                            asap_error* error) {
  return guarded(error, [&] {
    require(path, "path");
    require(model, "model");
    *model = new asap_model(asap::bundle::load_model(path, ""), method);
  });
}

asap_status asap_model_load_memory(const void* bytes, size_t size, const char* method,
                                   asap_model** model, asap_error* error) {
  return guarded(error, [&] {
    require(bytes, "bytes");
    require(model, "model");
    *model = new asap_model(
        asap::bundle::parse_bundle({static_cast<const char*>(bytes), size}, "bundle"), method);
  });
}

void asap_model_free(asap_model* model) { delete model; }

asap_status asap_model_describe(const asap_model* model, asap_model_info* info, asap_error* error) {
  return guarded(error, [&] {
    require(model, "model");
    require(info, "info");
    const asap::config::ModelConfig& network = model->network.encoder.config();
    *info = {};
    info->input = input_of(model->network);
    info->classes = network.classes;
    info->embedding_width = asap::predict::embedding_width(network);
    if (info->input == ASAP_IMAGES) {
      info->channels = network.channels;
      info->height = network.image_height;
      info->width = network.image_width;
    }
    if (info->input == ASAP_POINTS) info->point_width = network.point_width;
    info->method = model->method_name.c_str();
    info->fingerprint = model->network.encoder.fingerprint().c_str();
  });
}

const char* asap_model_class_name(const asap_model* model, int64_t index) {
  if (!model || index < 0 || index >= std::ssize(model->network.class_names)) return nullptr;
  return model->network.class_names[static_cast<std::size_t>(index)].c_str();
}

asap_status asap_predict_texts(asap_model* model, const char* const* texts, const size_t* lengths,
                               size_t count, const asap_answers* answers, asap_error* error) {
  return guarded(error, [&] {
    check_call(model, texts, count, answers, ASAP_TEXTS, "asap_predict_texts");
    answer(*model, examples_of_texts(*model, texts, lengths, count), *answers);
  });
}

asap_status asap_predict_images(asap_model* model, const uint8_t* pixels, size_t count,
                                const asap_answers* answers, asap_error* error) {
  return guarded(error, [&] {
    check_call(model, pixels, count, answers, ASAP_IMAGES, "asap_predict_images");
    asap::predict::Examples examples = asap::predict::no_examples(model->network);
    examples.dataset.pixels.assign(
        pixels, pixels + static_cast<std::int64_t>(count) * examples.dataset.image_size());
    name_examples(examples, count);
    answer(*model, examples, *answers);
  });
}

asap_status asap_predict_points(asap_model* model, const float* points, const int64_t* lengths,
                                size_t count, const asap_answers* answers, asap_error* error) {
  return guarded(error, [&] {
    check_call(model, points, count, answers, ASAP_POINTS, "asap_predict_points");
    if (count > 0) require(lengths, "lengths");
    answer(*model, examples_of_points(*model, points, lengths, count), *answers);
  });
}
}
