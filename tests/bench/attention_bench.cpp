// Whole forms of attention on one head, one thread: every line of the table in
// evaluate/bench/attention_forms.cpp.
#include "evaluate/bench/attention_bench.h"

#include <map>
#include <memory>

#include "evaluate/bench/bench_data.h"
#include "microbench.h"

using namespace asap::test;

namespace asap::bench {
namespace {

/// Data and fitted maps of one size; made once, since fitting takes longer than measuring.
struct Prepared {
  BenchSource source;
  FormContext context;
  BenchBatch batch;

  Prepared(const BenchConfig& config, std::int64_t tokens)
      : source(config.head_width, tokens, config.logit_range, config.seed),
        context(make_form_context(config, source, tokens, 1)),
        batch(source.draw(tokens, 1, 0)) {}
};

const Prepared& prepared(std::int64_t tokens, std::int64_t width) {
  static std::map<std::pair<std::int64_t, std::int64_t>, std::unique_ptr<Prepared>> all;
  std::unique_ptr<Prepared>& entry = all[{tokens, width}];
  if (!entry) {
    BenchConfig config;
    config.head_width = static_cast<int>(width);
    entry = std::make_unique<Prepared>(config, tokens);
  }
  return *entry;
}

void attention(benchmark::State& state, const AttentionForm& form) {
  const std::int64_t tokens = state.range(0), width = state.range(1);
  const Prepared& p = prepared(tokens, width);
  Tensor<float> output(p.batch.values.shape());
  std::vector<Arena> scratch(1);
  const AttentionBatch<float> view = p.batch.view();
  for (auto _ : state) {
    form.run({view, output.rows(), p.context, scratch});
    benchmark::ClobberMemory();
  }
  const double n = static_cast<double>(tokens), d = static_cast<double>(width);
  count_operations(state, form.product_operations({n, n, d, d}, p.context));
}

const bool registered = [] {
  for (const AttentionForm& form : attention_forms()) {
    auto* benchmark =
        benchmark::RegisterBenchmark((std::string("attention/") + form.name).c_str(),
                                     [&form](benchmark::State& state) { attention(state, form); });
    benchmark->ArgNames({"n", "d"})->Unit(benchmark::kMillisecond);
    for (const auto& [n, d] : {std::pair<int, int>{49, 32}, {196, 32}, {512, 64}, {1024, 64}})
      benchmark->Args({n, d});
  }
  return true;
}();

}  // namespace
}  // namespace asap::bench
