#include "evaluate/compare/cascade.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/parallel.h"
#include "compile/calibration.h"
#include "config/run_folder.h"
#include "data/load/load_dataset.h"
#include "evaluate/compare/replayed_teacher.h"
#include "infer/scorer.h"

namespace asap::evaluate {
namespace {

constexpr std::int64_t kAnswerBatch = 16;
constexpr std::size_t kUnsurePart = 4;  // losses of margin are those of the less sure quarter
constexpr double kCoverage = 0.99;      // of them
constexpr float kUnlimited = std::numeric_limits<float>::infinity();

/// Difference of the two largest; infinite for a single class, which needs no second opinion.
float gap(tensor::VectorView<const float> logits) {
  float first = -kUnlimited, second = -kUnlimited;
  for (const float value : logits)
    if (value > first) {
      second = first;
      first = value;
    } else {
      second = std::max(second, value);
    }
  return first - second;
}

/// By how much logits[predicted] exceeds the largest other; infinite for a single class.
float lead(tensor::VectorView<const float> logits, std::int32_t predicted) {
  float other = -kUnlimited;
  for (std::int32_t k = 0; k < std::ssize(logits); ++k)
    if (k != predicted) other = std::max(other, logits[static_cast<std::size_t>(k)]);
  return logits[static_cast<std::size_t>(predicted)] - other;
}

/// Rows of the example at place `index` of a batch of `count`.
template <class T>
tensor::MatrixView<T> example_rows(tensor::MatrixView<T> logits, std::int64_t index,
                                   std::int64_t count) {
  const std::int64_t rows = logits.rows / count;
  return logits.block(index * rows, 0, rows, logits.cols);
}

}  // namespace

CascadeCalibration draw_cascade_calibration(const std::filesystem::path& run,
                                            const compile::CompileConfig& fit,
                                            const CascadeConfig& config) {
  const config::RunFolder folder(run);
  CascadeCalibration calibration;
  calibration.share = config.share;
  calibration.dataset =
      data::load_dataset_for(folder, folder.read_config().data, data::Split::train);
  const std::int64_t size = calibration.dataset.size(), fitted = fit.calibration;
  if (size <= fitted)
    throw base::DataError(calibration.dataset.name + ": all " + std::to_string(size) +
                              " examples were used to fit the operator; none is left to choose "
                              "the threshold of the cascade",
                          "compile with a lower calibration");
  const std::int64_t count = std::min<std::int64_t>(config.examples, size - fitted);
  calibration.examples = compile::draw_examples(size, fitted + count, fit.seed);
  calibration.examples.erase(calibration.examples.begin(), calibration.examples.begin() + fitted);
  return calibration;
}

Answer answer_of(const data::Dataset& dataset, std::int64_t example,
                 tensor::MatrixView<const float> logits, float compiled_share) {
  Answer answer{{}, {}, kUnlimited};
  const std::int64_t first = dataset.first_label(example);
  for (std::int64_t i = 0; i < dataset.label_count(example); ++i) {
    if (dataset.labels[static_cast<std::size_t>(first + i)] == data::kNotScored) continue;
    answer.predictions.push_back(infer::predicted_class(logits.row(i)));
    answer.logits.insert(answer.logits.end(), logits.row(i).begin(), logits.row(i).end());
    answer.margin = std::min(answer.margin, gap(logits.row(i)));
  }
  answer.margin = compiled_share > 0 ? answer.margin / compiled_share : kUnlimited;
  return answer;
}

float margin_loss(const Answer& method, const Answer& teacher) {
  const std::size_t labels = method.predictions.size();
  float loss = 0;
  for (std::size_t i = 0; i < labels; ++i) {
    const std::size_t classes = method.logits.size() / labels;
    const std::span<const float> mine = std::span(method.logits).subspan(i * classes, classes),
                                 others = std::span(teacher.logits).subspan(i * classes, classes);
    if (classes > 1)
      loss =
          std::max(loss, lead(mine, method.predictions[i]) - lead(others, method.predictions[i]));
  }
  return loss;
}

namespace {

/// The most reruns among `count` examples that leave their share among others like these at most
/// `share` with a confidence of 95 %, by the normal approximation.
std::size_t most_reruns(std::size_t count, double share) {
  if (share >= 1) return count;
  constexpr double kDeviations = 1.645;
  const auto size = static_cast<double>(count);
  std::size_t most = 0;
  while (most < count) {
    const double next = static_cast<double>(most + 1) / size;
    if (next + kDeviations * std::sqrt(next * (1 - next) / size) > share) break;
    ++most;
  }
  return most;
}

}  // namespace

CascadeThreshold choose_threshold(std::span<const Answer> method, std::span<const Answer> teacher,
                                  double share) {
  base::check(method.size() == teacher.size() && !method.empty(),
              "choose_threshold: no examples, or not the same");
  const std::size_t count = method.size();
  std::vector<float> margins, losses, disagreeing;
  for (const Answer& answer : method) margins.push_back(answer.margin);
  std::ranges::sort(margins);
  for (std::size_t i = 0; i < count; ++i) {
    if (method[i].margin <= margins[count / kUnsurePart])
      losses.push_back(margin_loss(method[i], teacher[i]));
    if (method[i].predictions != teacher[i].predictions) disagreeing.push_back(method[i].margin);
  }
  std::ranges::sort(losses);
  CascadeThreshold threshold;
  threshold.margin =
      losses[static_cast<std::size_t>(kCoverage * static_cast<double>(losses.size() - 1))];
  // At most `index` margins lie below the one of that index.
  const std::size_t most = most_reruns(count, share);
  if (most < count) threshold.margin = std::min(threshold.margin, margins[most]);
  const auto below = [&](float margin) { return margin < threshold.margin; };
  threshold.examples = std::ssize(method);
  threshold.share =
      static_cast<double>(std::ranges::count_if(margins, below)) / static_cast<double>(count);
  threshold.disagreements = std::ssize(disagreeing);
  threshold.missed = threshold.disagreements - std::ranges::count_if(disagreeing, below);
  return threshold;
}

namespace {

/// Gives this rank the answers of the batches of others.
void exchange_answers(const distributed::ItemShare& share, std::int64_t classes,
                      std::vector<Answer>& all) {
  const auto batch_of = [&](std::int64_t index) {
    const auto begin = static_cast<std::size_t>(index * kAnswerBatch);
    return std::span(all).subspan(
        begin, std::min(static_cast<std::size_t>(kAnswerBatch), all.size() - begin));
  };
  std::vector<std::string> own(static_cast<std::size_t>(share.own()));
  for (std::int64_t place = 0; place < share.own(); ++place)
    for (const Answer& answer : batch_of(share.item(place))) {
      std::string& bytes = own[static_cast<std::size_t>(place)];
      distributed::pack_value(std::ssize(answer.predictions), bytes);
      distributed::pack(std::span(answer.predictions), bytes);
      distributed::pack(std::span(answer.logits), bytes);
      distributed::pack_value(answer.margin, bytes);
    }
  const std::vector<std::string> packed = share.exchange(own);
  for (std::int64_t index = 0; index < std::ssize(packed); ++index) {
    distributed::Unpacker unpacker(packed[static_cast<std::size_t>(index)]);
    for (Answer& answer : batch_of(index)) {
      const auto count = unpacker.value<std::ptrdiff_t>();
      answer.predictions.resize(static_cast<std::size_t>(count));
      answer.logits.resize(static_cast<std::size_t>(count * classes));
      unpacker.fill(std::span(answer.predictions));
      unpacker.fill(std::span(answer.logits));
      answer.margin = unpacker.value<float>();
    }
  }
}

}  // namespace

std::vector<Answer> answers(const infer::Encoder& encoder,
                            const attention::AttentionOperator& attention,
                            const CascadeCalibration& calibration,
                            const distributed::Workers& workers) {
  const std::int64_t count = std::ssize(calibration.examples);
  std::vector<Answer> all(static_cast<std::size_t>(count));
  std::vector<tensor::Arena> arenas(static_cast<std::size_t>(std::max(workers.threads, 1)));
  const distributed::ItemShare share(*workers.ranks, (count + kAnswerBatch - 1) / kAnswerBatch);
  base::parallel_for(share.own(), workers.threads, [&](std::int64_t place, int worker) {
    const std::int64_t index = share.item(place);
    const std::int64_t begin = index * kAnswerBatch, size = std::min(kAnswerBatch, count - begin);
    const std::span<const std::int64_t> examples =
        std::span(calibration.examples)
            .subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(size));
    data::Batch batch;
    batch.fill(calibration.dataset, examples);
    tensor::Tensor<float> logits({encoder.logit_rows(batch.input()), encoder.config().classes});
    const GuardTally tally(attention, encoder.config().layers, size);
    encoder.forward(batch.input(), tally, logits.rows(), arenas[static_cast<std::size_t>(worker)]);
    const tensor::MatrixView<const float> rows = logits.rows();
    for (std::int64_t b = 0; b < size; ++b)
      all[static_cast<std::size_t>(begin + b)] = answer_of(
          calibration.dataset, examples[static_cast<std::size_t>(b)], example_rows(rows, b, size),
          tally.heads()[static_cast<std::size_t>(b)].compiled_share());
  });
  if (share.is_shared()) exchange_answers(share, encoder.config().classes, all);
  return all;
}

CascadeThreshold calibrated_threshold(const infer::Encoder& encoder, const Method& method,
                                      const CompiledHeads& compiled,
                                      const CascadeCalibration& calibration, int threads) {
  const std::vector<Answer> first =
      answers(encoder, *make_attention(method, encoder, &compiled), calibration, threads);
  return choose_threshold(first, answers(encoder, *encoder.teacher(), calibration, threads),
                          calibration.share);
}

Cascade::Cascade(const infer::Encoder& encoder, const CascadeThreshold& threshold)
    : encoder_(encoder), threshold_(threshold), teacher_(encoder.teacher()), timed_(*teacher_) {}

std::int64_t Cascade::rerun(const data::Dataset& dataset, std::span<const std::int64_t> batch,
                            const GuardTally& first, tensor::MatrixView<float> logits,
                            tensor::Arena& arena) const {
  std::vector<std::int64_t> places, examples;
  for (std::int64_t b = 0; b < std::ssize(batch); ++b) {
    const std::int64_t example = batch[static_cast<std::size_t>(b)];
    const tensor::MatrixView<const float> rows = example_rows(logits, b, std::ssize(batch));
    const float compiled = first.heads()[static_cast<std::size_t>(b)].compiled_share();
    if (!(answer_of(dataset, example, rows, compiled).margin < threshold_.margin)) continue;
    places.push_back(b);
    examples.push_back(example);
  }
  if (places.empty()) return 0;
  data::Batch again;
  again.fill(dataset, examples);
  tensor::Tensor<float> sure({encoder_.logit_rows(again.input()), encoder_.config().classes});
  const ReplayedTeacher teacher(timed_, first, places, encoder_.config().layers);
  encoder_.forward(again.input(), teacher, sure.rows(), arena);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const tensor::MatrixView<float> from =
        example_rows(sure.rows(), static_cast<std::int64_t>(i), std::ssize(places));
    const tensor::MatrixView<float> to = example_rows(logits, places[i], std::ssize(batch));
    // The smaller batch may need less padding.
    for (std::int64_t row = 0; row < from.rows; ++row)
      std::ranges::copy(from.row(row), to.row(row).begin());
  }
  return std::ssize(places);
}

}  // namespace asap::evaluate
