#include "evaluate/report/report.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "evaluate/compare/method.h"
#include "evaluate/draw/svg_chart.h"
#include "evaluate/report/report_page.h"
#include "evaluate/report/report_words.h"

namespace {

using namespace asap::base;
using namespace asap::evaluate;
using namespace asap::io;

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

std::vector<Method> parsed(std::vector<std::string> names) { return parse_methods(names, 3); }

MethodResult method_result(const std::string& name, double accuracy, double milliseconds) {
  MethodResult result;
  result.name = name;
  result.accuracy = accuracy;
  result.agreement = 0.98765;
  result.attention_milliseconds = milliseconds;
  result.plan_l1 = 0.04321;
  result.heads = {{{0.03, 0.01}, {0.05, 0.02}}};
  return result;
}

Comparison two_methods() {
  Comparison comparison;
  comparison.methods = {method_result("teacher", 0.834, 0.2),
                        method_result("compiled", 0.832, 0.1)};
  comparison.examples = 10000;
  comparison.fidelity_examples = 128;
  return comparison;
}

ReportContext context() {
  return {.data = "a < b & c", .model = "ViT", .commands = {"asap-eval compare"}, .versions = {}};
}

}  // namespace

TEST_CASE("method names are read and written alike") {
  const std::vector<std::string> names = {
      "teacher",       "softmax",   "sinkhorn:0",   "sinkhorn:12",   "f0", "compiled", "compiled+2",
      "compiled_bf16", "espformer", "compiled+1@2", "sinkhorn:3@0-1"};
  const std::vector<Method> methods = parsed(names);
  for (std::size_t i = 0; i < names.size(); ++i) CHECK(methods[i].name() == names[i]);
  CHECK(methods[3].kind == MethodKind::sinkhorn);
  CHECK(methods[3].iterations == 12);
}

TEST_CASE("a method can be asked for layer by layer") {
  const std::vector<Method> methods = parsed({"f0@each", "compiled"});
  REQUIRE(methods.size() == 4);
  for (int layer = 0; layer < 3; ++layer)
    CHECK(methods[layer].name() == "f0@" + std::to_string(layer));
  CHECK(!methods[3].layers);
}

TEST_CASE(
    "layers the network does not have are refused, and so is replacing the teacher by itself") {
  for (const char* name : {"compiled@3", "compiled@", "compiled@2-1", "compiled@0-", "compiled@-1",
                           "compiled@all", "compiled@1@2", "teacher@0"})
    CHECK_THROWS_AS(parsed({name}), UsageError);
  CHECK_THROWS_AS(parsed({"f0@each", "f0@1"}), UsageError);
}

TEST_CASE("an unknown method is refused with the known ones") {
  try {
    parsed({"teacher", "sinkhron:3"});
    FAIL("accepted");
  } catch (const UsageError& error) {
    CHECK(std::string(error.what()) == "methods: unknown method 'sinkhron:3'");
    CHECK(error.hint().find("teacher, softmax, sinkhorn:K, sinkhorn:equal, f0, compiled") !=
          std::string::npos);
  }
}

TEST_CASE("method names need a sensible number of iterations and no repetition") {
  for (const char* name : {"sinkhorn:", "sinkhorn:x", "sinkhorn:-1", "sinkhorn:1.5", "sinkhorn:3x",
                           "compiled+", "compiled+99999999999", ""})
    CHECK_THROWS_AS_MESSAGE(parsed({name}), UsageError, name);
  CHECK_THROWS_AS(parsed({}), UsageError);
  CHECK_THROWS_AS(parsed({"f0", "f0"}), UsageError);
  // The same method under another name.
  CHECK_THROWS_AS(parsed({"compiled", "compiled+0"}), UsageError);
}

TEST_CASE("axis ticks are round, cover the range and are few") {
  for (const auto& [low, high] :
       {std::pair(0.0, 1.0), std::pair(0.728, 0.834), std::pair(-3.0, 1e4), std::pair(0.0, 3e-5),
        std::pair(0.5, 0.5)}) {
    const std::vector<double> ticks = axis_ticks(low, high, 5);
    CHECK(ticks.front() <= low + 1e-12);
    CHECK(ticks.back() >= high - 1e-12);
    CHECK(ticks.size() >= 2);
    CHECK(ticks.size() <= 8);
    const double step = ticks[1] - ticks[0];
    const double leading = step / std::pow(10, std::floor(std::log10(step) + 1e-9));
    CHECK((std::abs(leading - 1) < 1e-6 || std::abs(leading - 2) < 1e-6 ||
           std::abs(leading - 5) < 1e-6));
  }
}

TEST_CASE("markup in texts is harmless") {
  CHECK(escape_markup("<a href=\"x\">'&'</a>") ==
        "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
  const std::string svg = render_svg(ScatterChart{"t<i>", "x", "y", {{"<b>", 1, 2}}});
  CHECK(svg.find("<b>") == std::string::npos);
  CHECK(svg.find("<i>") == std::string::npos);
}

TEST_CASE("every finite point and bar is drawn, others are left out") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::string scatter =
      render_svg(ScatterChart{"title", "x", "y", {{"a", 1, 2}, {"b", nan, 2}, {"c", 3, 4}}});
  CHECK(occurrences(scatter, "<circle") == 2);
  CHECK(scatter.find("nan") == std::string::npos);
  const std::string bars = render_svg(BarChart{"title", "v", 3, {{"a", 0}, {"b", 2}, {"c", nan}}});
  CHECK(occurrences(bars, "<rect") == 2);
  CHECK(bars.find("2.000") != std::string::npos);
  CHECK(render_svg(ScatterChart{"empty", "x", "y", {}}).find("no data") != std::string::npos);
}

TEST_CASE("every line of a line chart is drawn with its name, over what is not finite") {
  const LineChart chart{"t",
                        "layer",
                        "entropy",
                        {{"softmax", {1, NAN, 0.5}},
                         {"sinkhorn", {0.2, 0.3}, Family::teacher},
                         {"none", {INFINITY}}}};
  const std::string svg = render_svg(chart);
  CHECK(occurrences(svg, "<path") == 5);  // two lines, three samples in the legend
  for (const char* part : {"softmax", "sinkhorn", "none", ">layer<", ">entropy<"})
    CHECK(svg.find(part) != std::string::npos);
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(svg.find("inf") == std::string::npos);
}

TEST_CASE("pictures carry their own light and dark colours") {
  const std::string svg = render_svg(BarChart{"title", "v", 3, {{"a", 1}}});
  CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  CHECK(svg.find("prefers-color-scheme:dark") != std::string::npos);
}

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

TEST_CASE("a report without a compiled operator leaves the headline out") {
  Comparison comparison = two_methods();
  comparison.methods.pop_back();
  CHECK(comparison_report({comparison, context()}, {}).find("<div class=\"cards\">") ==
        std::string::npos);
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

TEST_CASE("nothing that is embedded in a script can end it") {
  const Json value = {{"text", "</script><script>alert(1)</script><!--"}};
  const std::string json = script_json(value);
  CHECK(json.find('<') == std::string::npos);
  CHECK(parse_json(json, "page") == value);
  const std::string script = script_element("a = '</script>' + '</ScRiPt >' + '<!--';");
  CHECK(script == "<script>a = '<\\/script>' + '<\\/ScRiPt >' + '<\\!--';</script>\n");
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

TEST_CASE("the points that no other beats are the front") {
  const std::vector<ChartPoint> points = {{"slow and good", 3, 0.9}, {"fast", 1, 0.7},
                                          {"beaten", 2, 0.6},        {"better", 2, 0.8},
                                          {"as good", 3, 0.9},       {"nothing", NAN, 1}};
  CHECK(pareto_front(points) == std::vector<bool>{true, true, false, true, true, false});
  CHECK(pareto_front(points, true) == std::vector<bool>{false, true, true, false, false, false});
}

TEST_CASE("logarithmic ticks are few and cover the range") {
  for (const auto& [low, high] :
       {std::pair(64.0, 1024.0), std::pair(1e-5, 3.0), std::pair(0.3, 0.4), std::pair(1.0, 10.0)}) {
    const std::vector<double> ticks = logarithmic_ticks(low, high);
    CHECK(ticks.front() <= low * (1 + 1e-9));
    CHECK(ticks.back() >= high * (1 - 1e-9));
    CHECK(ticks.size() >= 2);
    CHECK(ticks.size() <= 9);
  }
}

TEST_CASE("words follow the numbers, whoever wins") {
  const auto text_of = [](double accuracy, double milliseconds, MethodResult other) {
    Comparison comparison = two_methods();
    comparison.methods[1].accuracy = accuracy;
    comparison.methods[1].attention_milliseconds = milliseconds;
    comparison.methods.push_back(std::move(other));
    std::string text;
    for (const std::string& sentence : comparison_words(comparison)) text += sentence + " ";
    return text;
  };
  const auto holds = [](const std::string& text, const char* part) {
    CHECK_MESSAGE(text.find(part) != std::string::npos, text);
  };
  MethodResult truncated = method_result("sinkhorn:3", 0.83, 0.1);
  truncated.agreement = 0.9;
  holds(text_of(0.832, 0.1, truncated), "stays the same (83.40\u00a0% to 83.20\u00a0%)");
  holds(text_of(0.832, 0.1, truncated), "2.00 times as fast as the teacher's");
  holds(text_of(0.832, 0.1, truncated), "the best of them, sinkhorn:3, agrees in 90.00\u00a0%");
  holds(text_of(0.7, 0.3, truncated), "falls by 13.40 points");
  holds(text_of(0.9, 0.3, truncated), "rises by 6.60 points");
  holds(text_of(0.7, 0.3, truncated), "1.50 times as long as the teacher's");
  truncated.agreement = 0.99;
  holds(text_of(0.832, 0.1, truncated), "at least as good as compiled: sinkhorn:3 takes no longer");
  holds(text_of(0.832, 0.1, method_result("softmax", 0.9, 0.1)),
        "attention is more accurate than compiled");
  holds(text_of(0.832, 0.1, method_result("softmax", 0.5, 0.1)),
        "attention is less accurate than compiled");
  holds(text_of(0.832, 0.1, method_result("softmax", 0.83, 0.1)), "is as accurate as compiled");
  Comparison alone = two_methods();
  alone.methods.pop_back();
  CHECK(comparison_words(alone).empty());
}

TEST_CASE("the verdict names the best trade-offs and says what beats each other method") {
  const auto verdict = [](std::vector<std::tuple<std::string, double, double>> methods) {
    Comparison comparison = two_methods();
    comparison.methods.clear();
    for (const auto& [name, milliseconds, agreement] : methods) {
      comparison.methods.push_back(method_result(name, 0.8, milliseconds));
      comparison.methods.back().agreement = agreement;
    }
    return comparison_words(comparison).front();
  };
  CHECK(verdict({{"teacher", 1, 1}, {"compiled", 0.5, 0.9}, {"softmax", 0.6, 0.7}, {"f0", 0.5, 0.8}}) ==
        "teacher and compiled are the best trade-offs of speed and agreement with the teacher: no "
        "method beats one of them in one without losing in the other. softmax and f0 are not: "
        "compiled takes no longer and agrees more often.");
  CHECK(verdict({{"sinkhorn:1", 0.4, 0.9}, {"compiled", 0.5, 0.9}}) ==
        "sinkhorn:1 is the best trade-off: no other method is faster or agrees more often with the "
        "teacher. compiled is not: sinkhorn:1 is faster and agrees as often.");
  // Equal ones do not beat each other.
  CHECK(verdict({{"f0", 0.5, 0.9}, {"compiled", 0.5, 0.9}}).starts_with("f0 and compiled are"));
}

TEST_CASE("the words about scaling say from where on compiled is faster, or that it is not") {
  ScalingCurves scaling;
  scaling.curves = {{"sinkhorn_exp", {64, 128, 256}, {1, 4, 20}},
                    {"compiled", {64, 128, 256}, {2, 3, 9}}};
  CHECK(scaling_words(scaling).find("from 128 tokens on") != std::string::npos);
  scaling.curves[1].milliseconds = {0.5, 3, 21};
  CHECK(scaling_words(scaling).find("is not faster") != std::string::npos);
  scaling.curves.pop_back();
  CHECK(scaling_words(scaling).empty());
}
