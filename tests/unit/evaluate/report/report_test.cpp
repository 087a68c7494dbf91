#include "evaluate/report/report.h"

#include <cmath>

#include <doctest/doctest.h>

#include "evaluate/report/report_charts.h"
#include "evaluate/report/report_page.h"
#include "support/two_methods.h"

using namespace asap::evaluate;
using namespace asap::io;
using namespace asap::test;

namespace {

ReportContext context() {
  return {.data = "a < b & c", .model = "ViT", .commands = {"asap-eval compare"}, .versions = {}};
}

}  // namespace

TEST_CASE("the report needs nothing but itself and opens with the headline") {
  const std::string page = comparison_report({two_methods(), context()}, {});
  CHECK(page.find("98.77 %") != std::string::npos);  // agreement
  CHECK(page.find("-0.20") != std::string::npos);    // percentage points of accuracy
  CHECK(page.find("2.00×") != std::string::npos);    // speed of attention
  CHECK(page.find("a &lt; b &amp; c") != std::string::npos);
  CHECK(page.find("width=device-width") != std::string::npos);
  CHECK(occurrences(page, "<svg") == 2);
  for (const char* outside : {"src=", "href=", "@import", "url("})
    CHECK_MESSAGE(page.find(outside) == std::string::npos, outside);
}

TEST_CASE("the title of a report is the data's name, and the path stays in the provenance") {
  ReportContext known = context();
  known.title = "Fashion-MNIST";
  known.data = "/data/fashion test";
  const std::string page = comparison_report({two_methods(), known}, {});
  CHECK(page.find("<h1>Fashion-MNIST: attention methods compared</h1>") != std::string::npos);
  CHECK(occurrences(page, "/data/fashion test") == 1);
}

TEST_CASE("a report without a compiled operator leaves the headline out") {
  Comparison comparison = two_methods();
  comparison.methods.pop_back();
  CHECK(comparison_report({comparison, context()}, {}).find("<div class=\"cards\">") ==
        std::string::npos);
}

TEST_CASE("a cascade shows its share of reruns in table, page and summary") {
  Comparison comparison = two_methods();
  CHECK(comparison_table(comparison).find("rerun") == std::string::npos);
  MethodResult cascade = method_result("compiled:cascade", 0.834, 0.11);
  cascade.cascade = {
      {.margin = 0.25f, .share = 0.02, .examples = 512, .disagreements = 7, .missed = 1}, 0.0314};
  comparison.methods.push_back(cascade);
  const std::string table = comparison_table(comparison);
  CHECK(table.find("rerun") != std::string::npos);
  CHECK(table.find("3.14%") != std::string::npos);
  CHECK(comparison_report({comparison, context()}, {}).find("<td>3.14%</td>") != std::string::npos);
  CHECK(distance_chart(comparison).bars.size() == 1);  // its plans are those of compiled
  const Json methods = comparison_summary(comparison, context())["methods"];
  CHECK_FALSE(methods[1].contains("cascade"));
  CHECK(methods[2]["cascade"]["rerun_share"] == 0.0314);
  CHECK(methods[2]["cascade"]["margin"] == 0.25);
  CHECK(methods[2]["cascade"]["calibration"]["disagreements"] == 7);
}

TEST_CASE("a truncation of equal time says when it is capped") {
  Comparison comparison = two_methods();
  MethodResult& method = comparison.methods[0];
  method.name = "sinkhorn:4";
  CHECK(comparison_cells(comparison, method)[0] == "sinkhorn:4");
  method.equal_latency = true;
  CHECK(comparison_cells(comparison, method)[0] == "sinkhorn:4 (equal time)");
  CHECK_FALSE(comparison_summary(comparison, context())["methods"][0].contains("capped"));
  method.capped = true;
  CHECK(comparison_cells(comparison, method)[0] == "sinkhorn:4 (equal time, capped at T)");
  CHECK(comparison_summary(comparison, context())["methods"][0]["capped"] == true);
}

TEST_CASE("rates have their intervals in the table and in the summary") {
  Comparison comparison = two_methods();
  comparison.methods[0].examples_per_second = 60302;
  comparison.methods[0].rate_interval = 0.0123;
  CHECK(comparison_cells(comparison, comparison.methods[0])[3] == "60302 ±1.2%");
  const Json interval =
      comparison_summary(comparison, context())["methods"][0]["examples_per_second_interval"];
  CHECK(interval[0].get<double>() == doctest::Approx(60302 * (1 - 0.0123)));
  CHECK(interval[1].get<double>() == doctest::Approx(60302 * (1 + 0.0123)));
  comparison.methods[0].rate_interval = NAN;
  CHECK(comparison_cells(comparison, comparison.methods[0])[3] == "60302");
}

TEST_CASE("the summary holds every number under its agreed name") {
  const Json summary = comparison_summary(two_methods(), context());
  const Json& compiled = summary["methods"][1];
  CHECK(compiled["name"] == "compiled");
  for (const char* key : {"accuracy", "agreement", "examples_per_second", "attention_milliseconds",
                          "plan_l1", "column_error"})
    CHECK_MESSAGE(compiled.contains(key), key);
  CHECK(summary["heads"].size() == 4);
  CHECK(summary["heads"][3]["plan_l1"] == 0.05);
}

TEST_CASE("a report with the library has its charts for it, and commands stay text") {
  ReportContext hostile = context();
  hostile.commands = {"asap-eval compare --run '</pre><script>alert(1)</script>'"};
  const std::string page =
      comparison_report({two_methods(), hostile}, {"/* d3 */ scaleLinear", "d3.min.js"});
  CHECK(page.find("/* d3 */ scaleLinear</script>") != std::string::npos);
  CHECK(page.find("\"tradeoff\"") != std::string::npos);
  CHECK(page.find("alert(1)</script>") == std::string::npos);
}

TEST_CASE("warm says why heads run the teacher's own loop, if any do") {
  Comparison comparison = two_methods();
  MethodResult& method = comparison.methods[1];
  method.name = "warm";
  method.guard = GuardCounts{.heads = 40, .iterated = 40, .iterations = 160, .network_heads = 4};
  CHECK(guard_words(comparison)[0].find("its own loop") == std::string::npos);
  method.guard->loops = 3;
  CHECK(
      guard_words(comparison)[0].find("3 of the network's 4 heads have a teacher that is far from "
                                      "converged, or no map: its own loop") != std::string::npos);
  CHECK(comparison_summary(comparison, context())["methods"][1]["guard"]["loops"] == 3);
}
