#include "evaluate/report/bench_digest.h"

#include <doctest/doctest.h>

#include "evaluate/report/bench_report.h"
#include "evaluate/report/bench_tables.h"
#include "support/two_methods.h"

using namespace asap::evaluate;
using namespace asap::test;

namespace {

/// Milliseconds of some forms at 196 and 512 tokens; each needs 10 GFLOP/s times its milliseconds.
BenchResult two_sizes(double compiled_at_512) {
  BenchResult result;
  result.peak_gflops = 20;
  const auto row = [&](std::int64_t tokens, std::vector<std::pair<const char*, double>> forms) {
    BenchRow one;
    one.tokens = tokens;
    for (const auto& [name, milliseconds] : forms) {
      FormResult form;
      form.name = name;
      form.milliseconds = milliseconds;
      form.product_operations = 1e7 * milliseconds;
      form.output_error = 0.01;
      one.forms.push_back(form);
    }
    result.rows.push_back(one);
  };
  row(196, {{"softmax", 1},
            {"sinkhorn_exp", 1.5},
            {"sinkhorn_single", 1.8},
            {"sinkhorn_bf16", 1},
            {"compiled", 2},
            {"compiled_bf16", 1.9},
            {"espformer", 9}});
  row(512, {{"softmax", 4},
            {"sinkhorn_exp", 9},
            {"sinkhorn_single", 8},
            {"sinkhorn_bf16", 5},
            {"compiled", compiled_at_512},
            {"compiled_bf16", 4},
            {"espformer", 99}});
  return result;
}

bool holds(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the digest has four forms, the fastest float32 loop among them, and a conclusion") {
  const BenchResult result = two_sizes(5);
  CHECK(main_forms(result) ==
        std::vector<std::string>{"softmax", "sinkhorn_single", "compiled", "compiled_bf16"});
  const std::string text = bench_text({}, result);
  CHECK(occurrences(text, "\n") == 10);  // title, header, rule, four forms, empty, two sentences
  CHECK(holds(text,
              "Compiled attention is faster than the fastest Sinkhorn loop (sinkhorn_single, T = "
              "10) from N = 512 on: 1.60 times at N = 512, in bfloat16 2.00 times."));
  CHECK_FALSE(holds(text, "espformer"));
  CHECK_FALSE(holds(text, "busy"));

  BenchConfig all;
  all.forms = {"all"};
  CHECK(holds(bench_text(all, result), "espformer"));
  CHECK(holds(bench_text(all, result), "Fraction of the peak"));
}

TEST_CASE("the conclusion does not praise what is slower, and says nothing of what is not there") {
  CHECK(holds(bench_conclusion({}, two_sizes(10)),
              "is not faster than the fastest Sinkhorn loop (sinkhorn_single, T = 10): at N = 512 "
              "it takes 1.25 times as long."));
  CHECK(holds(bench_conclusion({}, two_sizes(8.1)), "takes about as long as the fastest"));
  BenchResult result = two_sizes(5);
  result.rows.erase(result.rows.begin());
  CHECK(holds(bench_conclusion({}, result), " at every size: 1.60 times"));
  for (FormResult& form : result.rows[0].forms)
    if (form.name == "compiled") form.skipped = "over 20 s a turn";
  CHECK(bench_conclusion({}, result).empty());
  CHECK(main_forms(result) ==
        std::vector<std::string>{"softmax", "sinkhorn_single", "compiled_bf16"});
}

TEST_CASE("more than the peak is flagged as a busy machine, except in bfloat16") {
  BenchResult result = two_sizes(5);
  CHECK(busy_warning(result).empty());
  CHECK(bench_summary({}, result)["peak_disturbed"] == false);
  result.rows[1].forms[5].product_operations *= 4;  // compiled_bf16
  CHECK(busy_warning(result).empty());
  result.rows[1].forms[4].product_operations *= 3;  // 30 GFLOP/s of 20
  CHECK(holds(busy_warning(result), "compiled reached 1.50 times the peak"));
  CHECK(holds(bench_digest({}, result), "The machine was busy"));
  CHECK(bench_summary({}, result)["peak_disturbed"] == true);
  for (const Grid& grid : bench_grids(result))
    if (grid.title == "Fraction of the peak") CHECK(holds(grid_text(grid), "1.500 (busy)"));
}
