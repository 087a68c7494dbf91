#include "evaluate/compare/comparison.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/parallel.h"
#include "data/model_fit.h"

namespace asap::evaluate {
namespace {

constexpr std::int64_t kFidelityShard = 4;  // plans of all methods side by side need room

/// Sums of fidelity over the first examples, shard by shard in order for any number of
/// threads.
FidelityByMethod measure_fidelity(const infer::Encoder& encoder,
                                  const attention::AttentionOperator& teacher,
                                  const std::vector<MethodContestant*>& contestants,
                                  const Chunk& chunk, const distributed::Workers& workers,
                                  std::vector<tensor::Arena>& arenas) {
  std::vector<const attention::AttentionOperator*> methods;
  for (const MethodContestant* contestant : contestants)
    methods.push_back(contestant->attention.get());
  const config::ModelConfig& config = encoder.config();
  const std::vector<data::Batch>& batches = chunk.batches();
  const distributed::ItemShare share(*workers.ranks, std::ssize(batches));
  std::vector<std::string> parts(static_cast<std::size_t>(share.own()));
  base::parallel_for(share.own(), workers.threads, [&](std::int64_t place, int worker) {
    const std::int64_t index = share.item(place);
    const FidelityProbe probe(teacher, methods, config.layers, config.heads);
    const config::ModelInput<float> input = batches[index].input();
    tensor::Tensor<float> logits(tensor::Shape{encoder.logit_rows(input), config.classes});
    encoder.forward(input, probe, logits.rows(), arenas[worker]);
    for (const auto& method : probe.sums())
      for (const std::vector<HeadFidelity>& layer : method)
        distributed::pack(std::span(layer), parts[place]);
  });
  const FidelityProbe zero(teacher, methods, config.layers, config.heads);
  FidelityByMethod total = zero.sums();
  for (const std::string& bytes : share.exchange(parts)) {
    distributed::Unpacker unpacker(bytes);
    FidelityByMethod part = zero.sums();
    for (auto& method : part)
      for (std::vector<HeadFidelity>& layer : method) unpacker.fill(std::span(layer));
    add_fidelity(part, total);
  }
  scale_fidelity(1.0 / static_cast<double>(chunk.size()), total);
  return total;
}

/// Of the labels that are scored.
double fraction_equal(std::span<const std::int32_t> predictions,
                      std::span<const std::int32_t> others) {
  std::int64_t equal = 0, scored = 0;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    if (predictions[i] == data::kNotScored) continue;
    ++scored;
    if (predictions[i] == others[i]) ++equal;
  }
  return static_cast<double>(equal) / static_cast<double>(std::max<std::int64_t>(scored, 1));
}

MethodResult result_of(const MethodContestant& contestant, const data::Dataset& dataset,
                       std::span<const std::int32_t> teacher_predictions,
                       std::vector<std::vector<HeadFidelity>> heads) {
  MethodResult result;
  result.name = contestant.method.name();
  result.accuracy = fraction_equal(contestant.predictions, dataset.labels);
  result.agreement = fraction_equal(contestant.predictions, teacher_predictions);
  result.examples_per_second = 1 / contestant.time.seconds;
  result.rate_interval = contestant.time.interval;
  result.attention_milliseconds = 1e3 * contestant.attention_time.seconds;
  result.attention_interval = contestant.attention_time.interval;
  double count = 0;
  for (const auto& layer : heads)
    for (const HeadFidelity& head : layer) {
      result.plan_l1 += head.plan_l1;
      result.column_error += head.column_error;
      ++count;
    }
  result.plan_l1 /= count;
  result.column_error /= count;
  result.heads = std::move(heads);
  result.predictions = contestant.predictions;
  if (contestant.cascade)
    result.cascade = {contestant.cascade->threshold(),
                      static_cast<double>(contestant.reruns) /
                          static_cast<double>(std::max<std::int64_t>(contestant.answered, 1))};
  return result;
}

/// Agreement of a compiled method with the Sinkhorn attention it imitates in the same layers, if
/// that is among the contestants.
std::optional<double> imitated_agreement(const MethodContestant& contestant, int iterations,
                                         const std::vector<MethodContestant*>& contestants) {
  if (!contestant.method.is_compiled()) return std::nullopt;
  const std::string imitated =
      Method{MethodKind::sinkhorn, iterations, contestant.method.layers}.name();
  const auto found = std::ranges::find(
      contestants, imitated, [](const MethodContestant* other) { return other->method.name(); });
  if (found == contestants.end()) return std::nullopt;
  return fraction_equal(contestant.predictions, (*found)->predictions);
}

/// Gives every method that has a cascade its second stage, with the threshold that is known or that
/// the calibration chooses.
void calibrate_cascades(const infer::Encoder& encoder, const attention::AttentionOperator& teacher,
                        const std::vector<MethodContestant*>& contestants,
                        const ComparisonSettings& settings) {
  std::vector<Answer> expected;
  for (MethodContestant* contestant : contestants) {
    if (!contestant->method.cascade) continue;
    if (settings.known_threshold) {
      contestant->cascade = std::make_unique<Cascade>(encoder, *settings.known_threshold);
      continue;
    }
    base::check(settings.cascade != nullptr, "compare_methods: a cascade without calibration");
    if (expected.empty()) expected = answers(encoder, teacher, *settings.cascade, settings.workers);
    const std::vector<Answer> first =
        answers(encoder, *contestant->attention, *settings.cascade, settings.workers);
    contestant->cascade = std::make_unique<Cascade>(
        encoder, choose_threshold(first, expected, settings.cascade->share));
  }
}

/// The methods that take turns: those asked for, the teacher, because agreement is measured against
/// it, and those among which sinkhorn:equal is chosen.
class Contest {
 public:
  Contest(const infer::Encoder& encoder, const CompiledHeads* compiled,
          const ComparisonSettings& settings, std::size_t labels)
      : settings_(settings) {
    const auto enter = [&](const Method& method) {
      if (find(method)) return;
      contestants_.push_back(std::make_unique<MethodContestant>(
          method, make_attention(method, encoder, compiled), labels));
    };
    for (const Method& method : settings.methods)
      if (method.kind != MethodKind::sinkhorn_equal) enter(method);
    enter(Method{});
    if (!settings.equal_latency) return;
    enter({MethodKind::compiled});
    for (const int iterations : settings.equal_latency->candidates)
      enter({MethodKind::sinkhorn, iterations});
  }

  std::vector<MethodContestant*> all() const {
    std::vector<MethodContestant*> every;
    for (const auto& contestant : contestants_) every.push_back(contestant.get());
    return every;
  }

  MethodContestant& teacher() const { return *find(Method{}); }

  /// By the times of the turns that were taken.
  std::optional<EqualChoice> choose_equal() const {
    if (!settings_.equal_latency) return std::nullopt;
    std::vector<double> seconds;
    for (const int iterations : settings_.equal_latency->candidates)
      seconds.push_back(find({MethodKind::sinkhorn, iterations})->attention_time.seconds);
    return choose_equal_latency(*settings_.equal_latency, seconds,
                                find({MethodKind::compiled})->attention_time.seconds);
  }

  /// In the order asked for. A truncation that was asked for by its own name, too, has one row.
  std::vector<MethodContestant*> rows(const std::optional<EqualChoice>& equal) const {
    std::vector<MethodContestant*> shown;
    const auto is_chosen = [&](const Method& method) {
      return equal && method == Method{MethodKind::sinkhorn, equal->iterations};
    };
    const bool asked_for = std::ranges::any_of(settings_.methods, is_chosen);
    for (const Method& method : settings_.methods)
      if (method.kind != MethodKind::sinkhorn_equal)
        shown.push_back(find(method));
      else if (equal && !asked_for)
        shown.push_back(find({MethodKind::sinkhorn, equal->iterations}));
    return shown;
  }

 private:
  MethodContestant* find(const Method& method) const {
    const auto found = std::ranges::find_if(
        contestants_, [&](const auto& contestant) { return contestant->method == method; });
    return found == contestants_.end() ? nullptr : found->get();
  }

  const ComparisonSettings& settings_;
  std::vector<std::unique_ptr<MethodContestant>> contestants_;
};

}  // namespace

const MethodResult* Comparison::find(std::string_view name) const {
  const auto found = std::ranges::find(methods, name, &MethodResult::name);
  return found == methods.end() ? nullptr : &*found;
}

bool Comparison::shows_cascade() const {
  return std::ranges::any_of(methods,
                             [](const MethodResult& method) { return method.cascade.has_value(); });
}

bool Comparison::shows_imitation() const {
  return std::ranges::any_of(
      methods, [](const MethodResult& method) { return method.imitated_agreement.has_value(); });
}

Comparison compare_methods(const infer::Encoder& encoder, const CompiledHeads* compiled,
                           const data::Dataset& dataset, const ComparisonSettings& settings,
                           const ProgressCallback& progress) {
  if (dataset.size() == 0) throw base::UsageError("the test set is empty");
  data::fit_model_to_data(encoder.config(), dataset, "the trained model");
  Contest contest(encoder, compiled, settings, dataset.labels.size());
  std::vector<tensor::Arena> arenas(settings.workers.threads);
  calibrate_cascades(encoder, *contest.teacher().attention, contest.all(), settings);
  take_turns(encoder, dataset, settings.workers, arenas, contest.all(), progress);
  const std::optional<EqualChoice> equal = contest.choose_equal();
  const std::vector<MethodContestant*> contestants = contest.rows(equal);
  const MethodContestant& teacher = contest.teacher();

  std::vector<std::int64_t> sampled(std::min(settings.fidelity_examples, dataset.size()));
  std::iota(sampled.begin(), sampled.end(), std::int64_t{0});
  const Chunk sample(dataset, sampled, kFidelityShard);
  FidelityByMethod fidelity =
      measure_fidelity(encoder, *teacher.attention, contestants, sample, settings.workers, arenas);
  Comparison comparison;
  comparison.examples = dataset.size();
  comparison.examples_name = data::examples_name(dataset.kind);
  comparison.fidelity_examples = sample.size();
  comparison.threads = settings.workers.threads * settings.workers.ranks->size();
  comparison.teacher_predictions = teacher.predictions;
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    comparison.methods.push_back(
        result_of(*contestants[i], dataset, teacher.predictions, std::move(fidelity[i])));
    MethodResult& result = comparison.methods.back();
    if (equal && contestants[i]->method == Method{MethodKind::sinkhorn, equal->iterations}) {
      result.equal_latency = true;
      result.capped = equal->capped;
    }
    if (contestants[i]->method.has_guard())
      result.guard = count_guarded(contestants[i]->method, encoder, *compiled, dataset,
                                   settings.workers, arenas);
    if (settings.imitated_iterations)
      result.imitated_agreement =
          imitated_agreement(*contestants[i], *settings.imitated_iterations, contestants);
  }
  return comparison;
}

}  // namespace asap::evaluate
