#include "evaluate/report/report_words.h"

#include <tuple>

#include <doctest/doctest.h>

#include "support/two_methods.h"

using namespace asap::evaluate;
using namespace asap::test;

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
  CHECK(verdict(
            {{"teacher", 1, 1}, {"compiled", 0.5, 0.9}, {"softmax", 0.6, 0.7}, {"f0", 0.5, 0.8}}) ==
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
