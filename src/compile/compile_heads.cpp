#include "compile/compile_heads.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "attention/tiled/bfloat16_kernels.h"
#include "base/counted.h"
#include "compile/candidate_fit.h"
#include "compile/column_errors.h"
#include "tensor/simd/instruction_set.h"

namespace asap::compile {
namespace {

/// What is not offered for a teacher with slack.
void check_possible_with_slack(const CompileConfig& config) {
  if (config.mode == attention::CompiledMode::key_bias)
    throw base::UsageError("`mode`: key_bias is not offered for attention with slack",
                           "use mode=row_dual");
  if (config.objective != DualObjective::ridge)
    throw base::UsageError("`objective`: attention with slack is fitted by ridge regression only",
                           "use objective=ridge");
  if (!config.chooses_features() && config.dual_features().landmarks > 0)
    throw base::UsageError("`features`: landmarks are not offered for attention with slack",
                           "for example features=lse,lse0,it:2");
}

void check_possible(const TeacherDescription& teacher, const CompileConfig& config) {
  config.validate("configuration");
  if (teacher.iterations < 1)
    throw base::UsageError(
        "the teacher's attention is softmax (no Sinkhorn iterations): nothing to compile",
        "train with model.attention.kind=sinkhorn and iterations of at least 1");
  require_examples(teacher.source, teacher.examples,
                   std::int64_t{config.calibration} + config.held_out);
  if (teacher.has_slack) check_possible_with_slack(config);
  const std::int64_t width = teacher.head_width;
  if (!config.chooses_features() && config.dual_features().uses_slices() &&
      config.slice_kind == SliceKind::canonical && config.slices > width)
    throw base::UsageError("`slices`: " + base::counted(config.slices, "canonical slice") +
                               ", but a head of width " + std::to_string(width) + " has only " +
                               std::to_string(width),
                           "lower slices, or use slice_kind=random");
  if (config.objective == DualObjective::output && !teacher.has_values)
    throw base::UsageError("`objective`: 'output' needs values, which the activations do not hold");
}

/// A candidate with its heads, [layer][head].
struct HeadedCandidate {
  Candidate candidate;
  HeadsByLayer heads;
};

/// The maps to fit, with no more slices than there are canonical ones.
std::vector<CompileConfig> maps_to_fit(const CompileConfig& config,
                                       const TeacherDescription& teacher) {
  std::vector<CompileConfig> maps = config.maps();
  if (teacher.has_slack)
    std::erase_if(maps, [](const CompileConfig& map) { return map.dual_features().landmarks > 0; });
  if (config.chooses_features() && config.slice_kind == SliceKind::canonical)
    for (CompileConfig& map : maps)
      map.slices = static_cast<int>(std::min<std::int64_t>(map.slices, teacher.head_width));
  return maps;
}

HeadedCandidate map_candidate(const HeadsByLayer& heads, int corrections) {
  HeadedCandidate out;
  for (const auto& layer : heads) {
    auto& row = out.heads.emplace_back();
    for (const attention::CompiledHead& head : layer)
      row.push_back(with_corrections(head, corrections));
  }
  out.candidate.features = feature_names(out.heads[0][0].features);
  return out;
}

HeadedCandidate loop_candidate(const HeadsByLayer& like, int iterations) {
  HeadedCandidate out;
  out.candidate.iterations = iterations;
  for (const auto& layer : like) {
    auto& row = out.heads.emplace_back();
    for (const attention::CompiledHead& head : layer)
      row.push_back({.mode = attention::CompiledMode::sinkhorn,
                     .score_scale = head.score_scale,
                     .slack = head.slack,
                     .teacher_iterations = head.teacher_iterations,
                     .iterations = iterations});
  }
  return out;
}

HeadedCandidate in_bfloat16(HeadedCandidate candidate) {
  candidate.candidate.precision = attention::ProductPrecision::bfloat16;
  for (auto& layer : candidate.heads)
    for (attention::CompiledHead& head : layer)
      head.precision = attention::ProductPrecision::bfloat16;
  return candidate;
}

/// Everything that is to be compared, from the maps that were fitted.
std::vector<HeadedCandidate> all_candidates(const std::vector<HeadsByLayer>& maps,
                                            const CompileConfig& config, int teacher_iterations,
                                            bool with_bfloat16) {
  std::vector<HeadedCandidate> all;
  for (const HeadsByLayer& map : maps) {
    const int most = map[0][0].features.corrections;
    const int least = map[0][0].features.start ? 1 : 0;  // without corrections it is a loop
    for (int k = config.chooses_features() ? least : most; k <= most; ++k)
      all.push_back(map_candidate(map, k));
  }
  if (!config.chooses_operator() && !config.chooses_bias()) return all;
  if (config.chooses_operator())
    for (const int k : loop_lengths(teacher_iterations)) all.push_back(loop_candidate(maps[0], k));
  if (with_bfloat16)
    for (std::size_t c = all.size(); c-- > 0;) all.push_back(in_bfloat16(all[c]));
  return all;
}

/// The heads of all candidates in one place of the teacher.
std::vector<attention::CompiledHead> choices_at(const std::vector<HeadedCandidate>& all,
                                                std::int64_t index, std::int64_t heads) {
  std::vector<attention::CompiledHead> choices;
  for (const HeadedCandidate& one : all)
    choices.push_back(one.heads[static_cast<std::size_t>(index / heads)]
                               [static_cast<std::size_t>(index % heads)]);
  return choices;
}

/// The shapes that rank 0 has noted.
std::vector<HeadShape> shapes_of_first_rank(distributed::Ranks& ranks,
                                            const std::vector<HeadShape>& own) {
  std::string bytes;
  distributed::pack(std::span<const HeadShape>(own), bytes);
  bytes = ranks.gather(bytes).front();
  std::vector<HeadShape> shapes(bytes.size() / sizeof(HeadShape));
  distributed::Unpacker(bytes).fill(std::span(shapes));
  return shapes;
}

/// Fills the errors of all candidates, one pass. Returns the shape of a head in each example, which
/// all heads share.
std::vector<HeadShape> measure_errors(std::vector<HeadedCandidate>& all, const ExampleRange& range,
                                      HeadPasses& passes) {
  const distributed::ItemShare share = passes.share();
  std::vector<std::optional<ErrorMeasurement>> measured(
      static_cast<std::size_t>(passes.all_heads()));
  for (std::int64_t place = 0; place < share.own(); ++place)
    measured[share.item(place)].emplace(choices_at(all, share.item(place), passes.heads()));
  std::vector<HeadShape> shapes;
  passes.run(range, [&](std::int64_t index, const VisitedHead& v, tensor::Arena& scratch) {
    const TeacherSample sample = run_teacher(v.chunk, v.layer, v.head, v.example);
    measured[static_cast<std::size_t>(index)]->add(sample, scratch);
    if (index > 0) return;  // one head alone writes
    const std::int64_t width = sample.queries.shape()[1];
    shapes.push_back({sample.queries.shape()[0], sample.keys.shape()[0], width,
                      sample.values.size() > 0 ? sample.values.shape()[1] : width});
  });
  std::vector<std::string> own;
  for (const std::optional<ErrorMeasurement>& one : measured) {
    if (!one) continue;
    if (one->samples() == 0) refuse_empty(passes.source().teacher().source, range);
    const std::vector<double> errors = one->errors();
    distributed::pack(std::span<const double>(errors), own.emplace_back());
  }
  const std::vector<std::string> errors = share.exchange(own);
  for (std::size_t index = 0; index < errors.size(); ++index) {
    distributed::Unpacker unpacker(errors[index]);
    const auto heads = static_cast<std::size_t>(passes.heads());
    for (HeadedCandidate& one : all) {
      if (index % heads == 0) one.candidate.errors.push_back(0);
      one.candidate.errors.back() += unpacker.value<double>() / static_cast<double>(heads);
    }
  }
  return shapes_of_first_rank(*passes.workers().ranks, shapes);  // it has head 0
}

double mean_time(const OperatorForm& form, const std::vector<HeadShape>& shapes,
                 const MachineProfile& profile) {
  double total = 0;
  for (const HeadShape& shape : shapes) total += profile.time(form, shape);
  return total / static_cast<double>(shapes.size());
}

/// Prices the candidates and sorts them by time.
void price(std::vector<HeadedCandidate>& all, const std::vector<HeadShape>& shapes,
           const MachineProfile& profile) {
  for (HeadedCandidate& one : all)
    one.candidate.nanoseconds = mean_time(form_of(one.heads[0][0]), shapes, profile);
  std::ranges::stable_sort(all, {},
                           [](const HeadedCandidate& one) { return one.candidate.nanoseconds; });
}

using Evidence = std::vector<std::vector<HeadEvidence>>;

/// The full evidence of the operator on examples that no fit has seen, one pass.
Evidence measure_operator(const HeadsByLayer& heads, const ExampleRange& range,
                          HeadPasses& passes) {
  const distributed::ItemShare share = passes.share();
  std::vector<std::optional<HeadMeasurement>> measured(
      static_cast<std::size_t>(passes.all_heads()));
  for (std::int64_t place = 0; place < share.own(); ++place) {
    const std::int64_t index = share.item(place);
    measured[index].emplace(heads[index / passes.heads()][index % passes.heads()]);
  }
  passes.run(range, [&](std::int64_t index, const VisitedHead& v, tensor::Arena& scratch) {
    measured[static_cast<std::size_t>(index)]->add(run_teacher(v.chunk, v.layer, v.head, v.example),
                                                   scratch);
  });
  std::vector<HeadEvidence> own;
  for (const std::optional<HeadMeasurement>& one : measured)
    if (one) own.push_back(one->evidence());
  Evidence evidence;
  for (const HeadEvidence& one : share.exchange_values(std::span<const HeadEvidence>(own))) {
    if (evidence.empty() || std::ssize(evidence.back()) == passes.heads()) evidence.emplace_back();
    evidence.back().push_back(one);
  }
  return evidence;
}

/// What the certificates of a head will be held against: its column errors on all examples, because
/// those of the fit are many and hardly differ from others, and the teacher's. A key bias has no
/// certificate: its plan is a softmax, whose columns nothing normalises. Nor has a head with slack,
/// whose columns may sum to less than the others'.
void add_column_errors(const ExampleRange& range, HeadPasses& passes, CompiledModel& model) {
  if (model.config.mode == attention::CompiledMode::key_bias ||
      passes.source().teacher().has_slack) {
    passes.report(range.count);
    return;
  }
  ColumnErrorsByHead errors =
      measure_column_errors(passes.source(), model.heads, range, passes.workers(),
                            [&](std::int64_t examples) { passes.report(examples); });
  for (std::size_t layer = 0; layer < errors.size(); ++layer)
    for (std::size_t head = 0; head < errors[layer].size(); ++head) {
      MeasuredErrors& measured = errors[layer][head];
      std::ranges::sort(measured.errors);
      std::ranges::sort(measured.bounds);
      model.heads[layer][head].column_errors = {
          .sorted = std::move(measured.errors),
          .bounds = std::move(measured.bounds),
          .largest_start = std::isnan(measured.largest_start)
                               ? std::numeric_limits<float>::infinity()
                               : measured.largest_start,
          .teacher = static_cast<float>(model.evidence[layer][head].teacher_column_error)};
    }
}

MachineProfile profile_of(const CompileConfig& config) {
  return config.profile.empty() ? shipped_profile(tensor::instruction_set())
                                : load_profile(config.profile);
}

}  // namespace

std::vector<TeacherSample> run_teachers(const Activations& activations, int layer,
                                        std::int64_t head, const ExampleRange& examples) {
  const attention::AttentionBatch<float> batch = activations.batch(layer);
  const std::int64_t end = examples.first + examples.count;
  std::vector<TeacherSample> samples;
  for (std::int64_t example = examples.first; example < end; ++example)
    if (is_live(batch, example)) samples.push_back(run_teacher(activations, layer, head, example));
  if (samples.empty()) refuse_empty(activations.source, examples);
  return samples;
}

namespace {

/// Scores beyond the range of float leave no operator, not even the loop.
void require_finite(const OperatorChoice& choice) {
  for (std::size_t layer = 0; layer < choice.chosen.size(); ++layer)
    if (!std::isfinite(choice.of(layer).errors[layer]))
      throw base::NumericalError("layer " + std::to_string(layer) +
                                     ": the error of the operator is not finite, because scores of "
                                     "its queries and keys leave the range of float32",
                                 "check the queries and keys: their products should stay below "
                                 "1e38");
}

}  // namespace

std::int64_t compile_steps(const CompileConfig& config) {
  std::int64_t passes = 3;  // statistics, the starts of all maps, column errors
  for (const CompileConfig& map : config.maps()) passes += map.dual_features().corrections;
  return passes * config.calibration + 3 * std::int64_t{config.held_out};
}

CompiledModel compile_heads(const ActivationSource& source, const CompileConfig& config,
                            const distributed::Workers& workers, const CompileProgress& progress) {
  check_possible(source.teacher(), config);
  const MachineProfile profile = profile_of(config);
  const ExampleRange fitted{0, config.calibration};
  const ExampleRange held_out{config.calibration, config.held_out};
  HeadPasses passes(source, workers, compile_steps(config), progress);
  std::vector<HeadedCandidate> all =
      all_candidates(fit_maps(gather_statistics(passes, fitted, config.mode),
                              maps_to_fit(config, source.teacher()), fitted, passes),
                     config, source.teacher().iterations,
                     profile.has_bfloat16() && attention::bfloat16_kernels() != nullptr);
  CompiledModel model;
  model.config = config;
  const std::vector<HeadShape> shapes = measure_errors(all, held_out, passes);
  price(all, shapes, profile);
  model.choice.softmax_nanoseconds = mean_time(OperatorForm::softmax(), shapes, profile);
  for (const HeadedCandidate& one : all) model.choice.candidates.push_back(one.candidate);
  model.choice.instruction_set = profile.instruction_set;
  model.choice.profile = config.profile;
  model.choice.error = error_of_layers(config.error, source.teacher().layers);
  model.choice.budget = config.budget;
  choose_operator(model.choice);
  require_finite(model.choice);
  for (std::size_t layer = 0; layer < model.choice.chosen.size(); ++layer)
    model.heads.push_back(std::move(all[model.choice.chosen[layer]].heads[layer]));
  model.evidence = measure_operator(model.heads, held_out, passes);
  model.fitted_examples = config.calibration;
  model.held_out_examples = config.held_out;
  add_column_errors({0, fitted.count + held_out.count}, passes, model);
  return model;
}

CompiledModel compile_heads(const Activations& activations, const CompileConfig& config,
                            int threads, const CompileProgress& progress) {
  return compile_heads(ResidentActivations(activations), config, threads, progress);
}

}  // namespace asap::compile
