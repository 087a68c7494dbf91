#include "evaluate/bench/profile_bench.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include <unistd.h>

#include "attention/kinds/attention_kinds.h"
#include "attention/operators/kind_operator.h"
#include "attention/tiled/bfloat16_kernels.h"
#include "base/counted.h"
#include "base/format.h"
#include "base/random.h"
#include "base/text_table.h"
#include "base/timing.h"
#include "compile/compile_config.h"
#include "tensor/simd/instruction_set.h"

namespace asap::evaluate {
namespace {

constexpr int kSlices = 4, kTeacherIterations = 10;
constexpr std::int64_t kHeads = 4;  // different ones, one after another
constexpr double kUsualCache = 1 << 20;

/// The second-level cache of a core, in bytes.
double cache_bytes() {
  const long size = sysconf(_SC_LEVEL2_CACHE_SIZE);
  return size > 0 ? static_cast<double>(size) : kUsualCache;
}

compile::OperatorForm map_form(const std::vector<std::string>& features,
                               attention::ProductPrecision precision) {
  const attention::DualFeatures parsed = compile::parse_features(features, "profile");
  return {.features = parsed,
          .slices = parsed.uses_slices() ? kSlices : 0,
          .teacher_iterations = kTeacherIterations,
          .precision = precision};
}

/// One form for every step of the model, alone or with others.
std::vector<compile::OperatorForm> profiled_forms() {
  using compile::OperatorForm;
  std::vector<OperatorForm> forms = {OperatorForm::softmax(), OperatorForm::sinkhorn(1),
                                     OperatorForm::sinkhorn(4), OperatorForm::sinkhorn(10)};
  for (const std::vector<std::string>& features :
       std::vector<std::vector<std::string>>{{"tilt"},
                                             {"gau", "lin", "tilt"},
                                             {"pot", "gau", "lin", "tilt"},
                                             {"landmarks:16"},
                                             {"gau", "lin", "tilt", "landmarks:32"},
                                             {"start", "it:1"},
                                             {"start", "it:4"},
                                             {"lse", "lse0"},
                                             {"lse", "lse0", "it:1"},
                                             {"lse", "lse0", "it:3"},
                                             {"lse", "lse0", "landmarks:16", "it:2"}})
    forms.push_back(map_form(features, attention::ProductPrecision::single));
  if (!attention::bfloat16_kernels()) return forms;
  for (const int iterations : {1, 4, 10})
    forms.push_back(OperatorForm::sinkhorn(iterations, attention::ProductPrecision::bfloat16));
  for (const std::vector<std::string>& features :
       std::vector<std::vector<std::string>>{{"tilt"},
                                             {"landmarks:16"},
                                             {"start", "it:3"},
                                             {"lse", "lse0"},
                                             {"lse", "lse0", "it:2"},
                                             {"lse", "lse0", "landmarks:16", "it:1"}})
    forms.push_back(map_form(features, attention::ProductPrecision::bfloat16));
  return forms;
}

tensor::Tensor<float> normals(std::int64_t rows, std::int64_t cols, double deviation,
                              base::RandomStream& random) {
  tensor::Tensor<float> out({rows, cols});
  for (float& value : out.flat()) value = static_cast<float>(deviation * random.normal());
  return out;
}

/// A head of this form for queries and keys of width `width`; its weights hardly matter for time.
attention::CompiledHead drawn_head(const compile::OperatorForm& form, std::int64_t width,
                                   base::RandomStream& random) {
  attention::CompiledHead head{.features = form.features,
                               .mode = form.mode,
                               .score_scale = 1 / std::sqrt(static_cast<float>(width)),
                               .teacher_iterations = form.teacher_iterations,
                               .iterations = form.iterations,
                               .precision = form.precision};
  if (!head.predicts()) return head;
  const double unit = 1 / std::sqrt(static_cast<double>(width));
  if (form.slices > 0) {
    head.query_slices = normals(form.slices, width, unit, random);
    head.key_slices = normals(form.slices, width, unit, random);
  }
  if (form.features.landmarks > 0)
    head.landmarks = normals(form.features.landmarks, width, 1, random);
  for (std::int64_t p = 0; p < form.features.weight_count(form.slices); ++p)
    head.weights.push_back(static_cast<float>(0.01 * random.normal()));
  return head;
}

std::unique_ptr<attention::AttentionOperator> operator_of(const compile::OperatorForm& form,
                                                          std::int64_t width,
                                                          base::RandomStream& random) {
  attention::CompiledHead head = drawn_head(form, width, random);
  if (!head.predicts() && head.iterations == 0)
    return std::make_unique<attention::KindOperator>(
        attention::make_softmax_attention<float>(),
        std::vector<std::vector<float>>{{head.score_scale}});
  return std::make_unique<attention::CompiledOperator>(
      std::vector<std::vector<attention::CompiledHead>>{{std::move(head)}});
}

/// Times all forms on heads of one size.
void time_size(const ProfileSettings& settings, std::int64_t tokens, std::int64_t width,
               std::vector<compile::FormTiming>& timings) {
  base::RandomStream random(settings.seed, base::RandomPurpose::generated_data,
                            static_cast<std::uint32_t>(tokens * 1000 + width));
  const tensor::Tensor<float> queries = normals(kHeads * tokens, width, 1, random),
                              keys = normals(kHeads * tokens, width, 1, random),
                              values = normals(kHeads * tokens, width, 1, random);
  tensor::Tensor<float> output({kHeads * tokens, width});
  const attention::AttentionBatch<float> batch{queries.rows(), keys.rows(), values.rows(), kHeads,
                                               1};
  const std::vector<compile::OperatorForm> forms = profiled_forms();
  std::vector<std::unique_ptr<attention::AttentionOperator>> operators;
  for (const compile::OperatorForm& form : forms)
    operators.push_back(operator_of(form, width, random));
  std::vector<double> fastest(forms.size(), INFINITY);
  tensor::Arena scratch;
  for (int round = 0; round < settings.rounds; ++round)
    for (std::size_t f = 0; f < forms.size(); ++f) {
      const double start = base::thread_cpu_seconds();
      std::int64_t calls = 0;
      double passed = 0;
      do {
        operators[f]->apply(0, batch, output.rows(), scratch);
        ++calls;
        passed = base::thread_cpu_seconds() - start;
      } while (passed < settings.turn_seconds);
      fastest[f] = std::min(fastest[f], passed / static_cast<double>(calls * kHeads));
    }
  for (std::size_t f = 0; f < forms.size(); ++f)
    timings.push_back({forms[f], {tokens, tokens, width, width}, 1e9 * fastest[f]});
}

std::vector<double> relative_errors(const MeasuredProfile& measured) {
  std::vector<double> errors;
  for (const compile::FormTiming& timing : measured.timings)
    errors.push_back(
        std::abs(measured.profile.time(timing.form, timing.shape) / timing.nanoseconds - 1));
  return errors;
}

std::string form_name(const compile::OperatorForm& form) {
  std::string name;
  if (form.mode == attention::CompiledMode::sinkhorn)
    name = form.iterations == 0 ? "softmax" : "sinkhorn:" + std::to_string(form.iterations);
  for (const std::string& feature : compile::feature_names(form.features))
    name += (name.empty() ? "" : ",") + feature;
  return name + (form.precision == attention::ProductPrecision::bfloat16 ? " bf16" : "");
}

}  // namespace

double MeasuredProfile::median_error() const { return base::median(relative_errors(*this)); }
double MeasuredProfile::largest_error() const { return std::ranges::max(relative_errors(*this)); }

MeasuredProfile measure_profile(const ProfileSettings& settings,
                                const std::function<void(std::int64_t, std::int64_t)>& progress) {
  std::vector<std::int64_t> sizes;
  for (const std::int64_t size :
       {16, 25, 49, 64, 81, 128, 150, 196, 257, 400, 512, 784, 1024, 1500})
    if (size <= settings.most_tokens) sizes.push_back(size);
  const std::vector<std::int64_t> widths = {16, 32, 64};
  MeasuredProfile measured;
  const auto total = static_cast<std::int64_t>(sizes.size() * widths.size());
  std::int64_t done = 0;
  for (const std::int64_t width : widths)
    for (const std::int64_t size : sizes) {
      time_size(settings, size, width, measured.timings);
      if (progress) progress(++done, total);
    }
  measured.profile.instruction_set = tensor::instruction_set();
  measured.profile.cache_bytes = cache_bytes();
  measured.profile.nanoseconds = compile::fit_costs(measured.timings, measured.profile.cache_bytes);
  return measured;
}

std::string profile_text(const MeasuredProfile& measured) {
  base::Table table({{"form"}, {"tokens"}, {"width"}, {"microseconds"}, {"model"}});
  for (const compile::FormTiming& timing : measured.timings)
    if (timing.shape.width == 32 &&
        (timing.shape.queries == 49 || timing.shape.queries == 196 || timing.shape.queries == 1024))
      table.add_row(
          {form_name(timing.form), std::to_string(timing.shape.queries),
           std::to_string(timing.shape.width), base::format_fixed(timing.nanoseconds * 1e-3, 2),
           base::format_fixed(measured.profile.time(timing.form, timing.shape) * 1e-3, 2)});
  return table.text() + "the model is " + base::format_fixed(100 * measured.median_error(), 1) +
         "% off in the median of " + base::counted(measured.timings.size(), "timing") + ", " +
         base::format_fixed(100 * measured.largest_error(), 0) + "% at most\n";
}

io::Json profile_summary(const ProfileSettings& settings, const MeasuredProfile& measured) {
  io::Json timings = io::Json::array();
  for (const compile::FormTiming& timing : measured.timings)
    timings.push_back({{"form", form_name(timing.form)},
                       {"tokens", timing.shape.queries},
                       {"width", timing.shape.width},
                       {"nanoseconds", timing.nanoseconds},
                       {"model", measured.profile.time(timing.form, timing.shape)}});
  return {{"profile", compile::profile_json(measured.profile)},
          {"median_error", measured.median_error()},
          {"largest_error", measured.largest_error()},
          {"rounds", settings.rounds},
          {"seed", settings.seed},
          {"timings", std::move(timings)}};
}

}  // namespace asap::evaluate
