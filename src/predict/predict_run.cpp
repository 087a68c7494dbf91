#include "predict/predict_run.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/files.h"
#include "base/timing.h"
#include "io/npy.h"
#include "predict/growing_file.h"

namespace asap::predict {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kLeastChunk = 512;  // examples in memory at a time
constexpr std::int64_t kShards = 8;        // at least, for every thread
constexpr std::int64_t kPlanChunk = 64;    // plans need room

std::int64_t chunk_size(const PredictorConfig& config) {
  if (config.plans) return kPlanChunk;
  return std::max(kLeastChunk,
                  kShards * config.threads * config.ranks->size() * std::int64_t{config.batch});
}

/// "000001.npy"
std::string numbered_file(std::int64_t number) {
  std::array<char, 32> name;
  std::snprintf(name.data(), name.size(), "%06lld.npy", static_cast<long long>(number));
  return name.data();
}

/// The files of one prediction.
class PredictionFiles {
 public:
  PredictionFiles(const fs::path& folder, const AnswerFormat& format, const PredictorConfig& config)
      : folder_(folder),
        format_(format),
        config_(config),
        csv_(folder / "predictions.csv"),
        jsonl_(folder / "predictions.jsonl") {
    fs::remove_all(plans_);
    if (config.plans) base::make_directories(plans_);
    csv_.append(csv_header(format, config.certificate));
  }

  void add(const Examples& examples, const Answers& answers) {
    std::string csv, json;
    for (std::int64_t i = 0; i < examples.size(); ++i) {
      csv += csv_lines(format_, examples, answers, i);
      json += json_line(format_, examples, answers, i);
      if (config_.plans)
        io::write_npy(plans_ / numbered_file(written_ + i + 1),
                      io::StoredTensor::from(answers.plans[static_cast<std::size_t>(i)]));
    }
    csv_.append(csv);
    jsonl_.append(json);
    written_ += examples.size();
    answers_ += examples.answers();
    if (!config_.embeddings) return;
    embedding_width_ = answers.embeddings.shape()[1];
    const io::StoredTensor rows = io::StoredTensor::from(answers.embeddings);
    embeddings_ += rows.bytes;
  }

  ~PredictionFiles() {
    std::error_code ignored;
    fs::remove_all(plans_, ignored);
  }
  PredictionFiles(const PredictionFiles&) = delete;
  PredictionFiles& operator=(const PredictionFiles&) = delete;

  void finish(const Confusion& confusion) {
    for (const char* earlier :
         {"predictions.csv", "predictions.jsonl", "confusion.csv", "embeddings.npy"})
      fs::remove(folder_ / earlier);
    fs::remove_all(folder_ / "plans");
    if (config_.plans) fs::rename(plans_, folder_ / "plans");
    if (config_.embeddings)
      io::write_npy(folder_ / "embeddings.npy",
                    {io::ElementType::float32, {answers_, embedding_width_}, embeddings_});
    if (confusion.labelled() > 0)
      base::write_file_atomically(folder_ / "confusion.csv", confusion_csv(confusion));
    csv_.finish();
    jsonl_.finish();
  }

 private:
  std::string confusion_csv(const Confusion& confusion) const {
    const std::vector<std::string>& names = *format_.class_names;
    std::string text = "label";
    for (const std::string& name : names) text += ',' + csv_field(name);
    for (std::size_t label = 0; label < names.size(); ++label) {
      text += '\n' + csv_field(names[label]);
      for (const std::int64_t count : confusion.counts()[label])
        text += ',' + std::to_string(count);
    }
    return text + '\n';
  }

  const fs::path folder_, plans_ = folder_ / "plans.part";
  const AnswerFormat format_;
  const PredictorConfig config_;
  GrowingFile csv_, jsonl_;
  std::int64_t written_ = 0, answers_ = 0, embedding_width_ = 0;
  std::string embeddings_;
};

}  // namespace

void Confusion::add(std::int32_t label, std::int32_t predicted) {
  if (label == data::kNotScored) return;
  ++counts_[static_cast<std::size_t>(label)][static_cast<std::size_t>(predicted)];
  ++labelled_;
  correct_ += label == predicted ? 1 : 0;
}

double Confusion::accuracy() const {
  return static_cast<double>(correct_) / static_cast<double>(std::max<std::int64_t>(labelled_, 1));
}

PredictionSummary predict_to_folder(InputReader& input, Predictor& predictor,
                                    const FolderConfig& config, Faults& faults,
                                    const ProgressCallback& progress) {
  const base::Stopwatch watch;
  const std::size_t classes = config.class_names.size();
  const Examples none = predictor.no_examples();
  const AnswerFormat format{&config.class_names, config.top, input.has_labels(),
                            none.dataset.labels_tokens};
  // Rank 0 writes for all.
  std::optional<PredictionFiles> files;
  if (config.predictor.ranks->leads()) files.emplace(config.folder, format, config.predictor);
  PredictionSummary summary{0, 0, 0, 0, std::vector<std::int64_t>(classes), Confusion(classes)};
  for (bool more = true; more;) {
    Examples examples = none;
    more = input.read(chunk_size(config.predictor), examples, faults);
    if (examples.size() > 0) {
      const Answers answers = predictor.answer(examples);
      if (files) files->add(examples, answers);
      summary.reruns += answers.reruns;
      for (std::int64_t i = 0; i < examples.answers(); ++i) {
        const std::int32_t predicted = top_classes(answers.logits.rows().row(i), 1)[0];
        ++summary.predicted[static_cast<std::size_t>(predicted)];
        summary.confusion.add(examples.labels[static_cast<std::size_t>(i)], predicted);
      }
    }
    summary.answered += examples.size();
    if (progress) progress(summary.answered + faults.count());
  }
  summary.faults = faults.count();
  if (files) {
    if (config.begin) config.begin();
    files->finish(summary.confusion);
  }
  summary.seconds = watch.seconds();
  return summary;
}

}  // namespace asap::predict
