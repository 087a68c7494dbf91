#include "train/matcher_trainer.h"

#include <algorithm>
#include <cmath>

#include "base/counted.h"
#include "base/timing.h"
#include "data/keypoints/descriptors.h"
#include "infer/match_pairs.h"
#include "train/descriptor_projection.h"
#include "train/matcher_engine.h"
#include "train/training_run.h"

namespace asap::train {
namespace {

constexpr double kMeanResponse = 0.25;  // what the mean response of a keypoint is scaled to

/// The training of one matcher from its state to its end.
class MatcherTrainer {
 public:
  MatcherTrainer(const config::MatcherTrainConfig& config, const config::RunFolder& run,
                 const data::KeypointPairs& pairs, const TrainerOptions& options)
      : config_(config),
        run_(run),
        pairs_(pairs),
        options_(options),
        ranks_(*options.team.ranks),
        leads_(ranks_.leads()),
        usable_(usable_pairs(pairs)),
        model_(config.model.matcher, config.seed),
        optimizer_(model_.parameters(), {config.train.beta1, config.train.beta2,
                                         config.train.adam_epsilon, config.train.weight_decay}),
        sampler_(sampler_config()),
        engine_(model_, {options.threads, config.train.keypoints, config.train.vary, config.seed,
                         options.team}) {
    if (model_.bin().valid())
      optimizer_.set_pace(model_.bin(), {.rate_factor = config.train.bin_rate});
    result_.total_steps = config.train.max_steps;
    schedule_ = schedule_of(config.train, result_.total_steps);
    result_.parameters = model_.parameters().parameter_count();
  }

  MatcherTrainingResult run(const std::vector<data::KeypointPairs>& tests) {
    require_same_training(options_, config_, fingerprints(tests));
    const std::unique_ptr<base::FileLock> lock = occupy_run(run_, options_);
    begin();
    const std::int64_t first = step();
    const std::int64_t last = last_step(options_, result_.total_steps);
    while (step() < last && !result_.interrupted) {
      bool stop = take_step();
      if (ranks_.size() == 1) stop = options_.should_stop && options_.should_stop();
      result_.interrupted = step() < last && stop;
      const std::int64_t every = config_.train.checkpoint_every;
      if ((every > 0 && step() % every == 0) || step() == last || result_.interrupted) save();
    }
    finish(first, tests);
    return result_;
  }

 private:
  std::int64_t step() const { return progress_.step; }

  data::SamplerConfig sampler_config() const {
    const auto examples = static_cast<std::int64_t>(usable_.size());
    if (examples < config_.train.batch)
      throw base::UsageError(
          "train.batch is " + std::to_string(config_.train.batch) + ", but there are only " +
              base::counted(examples, "training pair") + " with keypoints to learn from",
          "lower train.batch");
    return {.examples = examples, .batch = config_.train.batch, .seed = config_.seed};
  }

  void begin() {
    const bool resumed = options_.resume && restore();
    if (options_.resume && options_.on_resume) options_.on_resume(step());
    if (!resumed) start_projection(pairs_, model_);
    require_same_state(ranks_, {progress_, model_.parameters(), optimizer_, sampler_});
    if (!leads_) return;
    write_run_config(run_, config::to_json(config_));
    open_metrics(run_, resumed, step(), metrics_);
  }

  bool restore() {
    TrainingState state{{}, model_.parameters(), optimizer_, sampler_};
    const bool found = load_checkpoint(run_, state, config_, pairs_.fingerprint(),
                                       {options_.allowed_changes, options_.on_note});
    progress_ = state.progress;
    if (leads_ && found) tidy_checkpoints(run_, step(), config_.train.keep_checkpoints);
    return found;
  }

  /// Whether a rank, of several, was interrupted.
  bool take_step() {
    const base::Stopwatch watch;
    StepReport report;
    report.total_steps = result_.total_steps;
    std::vector<std::int64_t> batch;
    for (const std::int64_t index : sampler_.next())
      batch.push_back(usable_[static_cast<std::size_t>(index)]);
    const bool wants_to_stop = ranks_.size() > 1 && options_.should_stop && options_.should_stop();
    report.outcome = engine_.compute(pairs_, batch, step(), wants_to_stop);
    report.epoch = sampler_.epoch();
    report.gradient_norm = optim::gradient_norm<float>(model_.parameters(), engine_.gradient());
    if (!std::isfinite(report.outcome.loss) || !std::isfinite(report.gradient_norm)) diverged();
    report.learning_rate = schedule_.rate(step());
    optimizer_.step(model_.parameters(), engine_.gradient(), report.learning_rate,
                    optim::clip_factor(report.gradient_norm, config_.train.clip_norm));
    report.step = ++progress_.step;
    result_.train_loss = report.outcome.loss;
    report.seconds = watch.seconds();
    seconds_ += report.seconds;
    if (leads_) log(report);
    if (options_.on_step) options_.on_step(report);
    return report.outcome.reports.stop;
  }

  void log(const StepReport& report) {
    metrics_->write({{"step", report.step},
                     {"epoch", report.epoch},
                     {"loss", report.outcome.loss},
                     {"accuracy", report.outcome.accuracy},
                     {"learning_rate", report.learning_rate},
                     {"gradient_norm", report.gradient_norm},
                     {"bin", bin()},
                     {"log_domain_problems", engine_.log_domain_problems()}});
  }

  [[noreturn]] void diverged() const {
    throw base::NumericalError("training diverged at step " + std::to_string(step() + 1) +
                                   ": the loss or gradient is not finite" + kept_checkpoint(run_),
                               "lower train.learning_rate or set train.clip_norm");
  }

  double bin() const {
    return model_.bin().valid() ? model_.parameters().value(model_.bin()).data[0] : 0;
  }

  distributed::NamedValues fingerprints(const std::vector<data::KeypointPairs>& tests) const {
    distributed::NamedValues values{{"the fingerprint of the training data", pairs_.fingerprint()}};
    for (const data::KeypointPairs& test : tests)
      values.emplace_back("the fingerprint of " + test.source(), test.fingerprint());
    return values;
  }

  void save() {
    if (!leads_) return;
    metrics_->sync();
    save_checkpoint(run_, {progress_, model_.parameters(), optimizer_, sampler_},
                    config::to_json(config_), pairs_.fingerprint(), config_.train.keep_checkpoints);
  }

  void finish(std::int64_t first, const std::vector<data::KeypointPairs>& tests) {
    result_.steps = step();
    result_.finished = step() == result_.total_steps;
    result_.seconds = seconds_;
    result_.bin = bin();
    if (seconds_ > 0)
      result_.pairs_per_second =
          static_cast<double>((step() - first) * config_.train.batch) / seconds_;
    if (result_.interrupted) return;
    const infer::Matcher matcher(config_.model.matcher, export_parameters(model_.parameters()), "");
    for (const data::KeypointPairs& test : tests)
      result_.tests.push_back(
          {test.source(),
           infer::count_all(infer::match_pairs(matcher, test, matcher.own_solver(),
                                               infer::kMatchThreshold, {options_.threads, ranks_}),
                            test)});
  }

  const config::MatcherTrainConfig& config_;
  const config::RunFolder& run_;
  const data::KeypointPairs& pairs_;
  const TrainerOptions& options_;
  distributed::Ranks& ranks_;
  const bool leads_;
  std::vector<std::int64_t> usable_;
  nn::Matcher<float> model_;
  optim::AdamW<float> optimizer_;
  data::EpochSampler sampler_;
  MatcherEngine engine_;
  optim::WarmupCosine schedule_;
  std::optional<io::MetricsWriter> metrics_;
  TrainingProgress progress_;
  double seconds_ = 0;
  MatcherTrainingResult result_;
};

}  // namespace

config::MatcherConfig complete_matcher(config::MatcherConfig model,
                                       const data::KeypointPairs& pairs) {
  if (model.descriptor_width == 0)
    model.descriptor_width = static_cast<int>(pairs.descriptor_width());
  if (model.descriptors == config::DescriptorKind::automatic)
    model.descriptors = pairs.descriptor_kind();
  infer::require_descriptors(model, pairs);
  const double response = pairs.mean_response();
  if (model.response_scale == 0) model.response_scale = response > 0 ? kMeanResponse / response : 1;
  return model;
}

std::vector<std::int64_t> usable_pairs(const data::KeypointPairs& pairs) {
  if (!pairs.has_matches())
    throw base::DataError(pairs.source() + ": there are no arrays 'matches0' and 'matches1'",
                          "training needs the true partners: indices, -1 none, -2 ambiguous");
  if (pairs.match_count() == 0)
    throw base::DataError(pairs.source() + ": no keypoint of any pair has a partner",
                          "matches0 and matches1 must assign some keypoints");
  std::vector<std::int64_t> usable;
  for (std::int64_t p = 0; p < pairs.size(); ++p) {
    const auto is_scored = [](std::int32_t partner) { return partner != data::kAmbiguous; };
    if (std::min(pairs.keypoints(p, 0), pairs.keypoints(p, 1)) > 0 &&
        (std::ranges::any_of(pairs.view(p, 0).matches, is_scored) ||
         std::ranges::any_of(pairs.view(p, 1).matches, is_scored)))
      usable.push_back(p);
  }
  return usable;
}

MatcherTrainingResult train_matcher(const config::MatcherTrainConfig& config,
                                    const config::RunFolder& run,
                                    const data::KeypointPairs& train_pairs,
                                    const std::vector<data::KeypointPairs>& tests,
                                    const TrainerOptions& options) {
  return MatcherTrainer(config, run, train_pairs, options).run(tests);
}

}  // namespace asap::train
