#include "compile/candidate.h"

#include <doctest/doctest.h>

#include "compile/compile_report.h"

namespace asap::test {
namespace {

/// Three maps and a loop; the second layer is harder to predict.
compile::OperatorChoice some_choice() {
  compile::OperatorChoice choice;
  choice.softmax_nanoseconds = 10;
  choice.instruction_set = "AVX2";
  choice.error = 0.03;
  choice.candidates = {{.features = {"lin"}, .nanoseconds = 11, .errors = {0.02, 0.2}},
                       {.features = {"gau"}, .nanoseconds = 12, .errors = {0.05, 0.3}},
                       {.features = {"lse", "it:1"}, .nanoseconds = 14, .errors = {0.01, 0.1}},
                       {.iterations = 10, .nanoseconds = 20, .errors = {0, 0}}};
  return choice;
}

TEST_CASE("A layer takes the cheapest that is exact enough, the loop among them") {
  compile::OperatorChoice choice = some_choice();
  choose_operator(choice);
  CHECK(choice.chosen == std::vector<std::size_t>{0, 3});
  CHECK(choice.over_softmax() == doctest::Approx((1.1 + 2.0) / 2));
  choice.error = 0.005;
  choose_operator(choice);
  CHECK(choice.chosen == std::vector<std::size_t>{3, 3});
  choice.candidates.pop_back();  // nothing is exact enough: the most exact
  choose_operator(choice);
  CHECK(choice.chosen == std::vector<std::size_t>{2, 2});
}

TEST_CASE("The whole loop stays where what is cheaper saves less than a tenth of its time") {
  compile::OperatorChoice choice = some_choice();
  choice.error = 0.015;  // lse,it:1 in the first layer, the loop in the second
  choice.candidates.insert(choice.candidates.end() - 1,
                           {.iterations = 8, .nanoseconds = 18.5, .errors = {0.3, 0.014}});
  choose_operator(choice);
  CHECK(choice.chosen == std::vector<std::size_t>{2, 4});  // 7.5 % of 20
  choice.candidates[3].nanoseconds = 17.5;
  choose_operator(choice);
  CHECK(choice.chosen == std::vector<std::size_t>{2, 3});
  choice.candidates[4].errors = {0.02, 0.02};  // a whole loop in bfloat16 that is not exact enough
  choice.candidates[3].nanoseconds = 18.5;
  choose_operator(choice);
  CHECK(choice.chosen == std::vector<std::size_t>{2, 3});
}

TEST_CASE("Layers of deep networks may have a smaller error each") {
  for (const int layers : {1, 2, 3}) CHECK(compile::error_of_layers(0.03, layers) == 0.03);
  // As of independent sources: twelve of them add up to what three may have.
  CHECK(compile::error_of_layers(0.03, 12) == doctest::Approx(0.015));
  CHECK(compile::error_of_layers(0, 12) == 0);
}

TEST_CASE("With a budget a layer takes the most exact that it pays for") {
  compile::OperatorChoice choice = some_choice();
  for (const auto& [budget, chosen] :
       {std::pair<double, std::size_t>{1.15, 0}, {1.2, 0}, {1.4, 2}, {5, 3}, {0.5, 0}}) {
    choice.budget = budget;
    choose_operator(choice);
    CHECK(choice.chosen[0] == chosen);
  }
}

TEST_CASE("The frontier holds what nothing beats in error and time") {
  const compile::OperatorChoice choice = some_choice();
  CHECK(frontier(choice, 0) == std::vector<std::size_t>{0, 2, 3});
  CHECK(frontier(choice, 1) == std::vector<std::size_t>{0, 2, 3});
}

TEST_CASE("The choice names the file of its machine profile, and no shipped one") {
  compile::OperatorChoice choice = some_choice();
  choose_operator(choice);
  CHECK_FALSE(compile::choice_json(choice).contains("profile"));
  choice.profile = "profile.json";
  CHECK(compile::choice_json(choice)["profile"] == "profile.json");
}

TEST_CASE("The choice is put in words") {
  compile::OperatorChoice choice = some_choice();
  choose_operator(choice);
  CHECK(choice_words(choice, 0) ==
        "layer 0: lin, error 0.0200, 1.10 times softmax's attention time; the cheapest with an "
        "error of at most 0.03; the whole loop takes 2.00");
  CHECK(choice_words(choice, 1) ==
        "layer 1: sinkhorn:10, error 0.0000, 2.00 times softmax's attention time; keep the "
        "loop: nothing with an error of at most 0.03 saves a tenth of its time");
  choice.budget = 1.2;
  choose_operator(choice);
  CHECK(choice_words(choice, 1).find("the most exact within the budget") != std::string::npos);
  choice.candidates[2].precision = attention::ProductPrecision::bfloat16;
  CHECK(choice.candidates[2].name() == "lse,it:1 in bfloat16");
}

TEST_CASE("The form of a head is what its map or its loop needs") {
  attention::CompiledHead head = attention::CompiledHead::zero_dual(1);
  head.features.landmarks = 4;
  head.teacher_iterations = 7;
  CHECK(compile::form_of(head).features.landmarks == 4);
  CHECK(compile::form_of(head).teacher_iterations == 7);
  CHECK(compile::form_of(head).slices == 0);
  head.mode = attention::CompiledMode::sinkhorn;
  head.iterations = 3;
  CHECK(compile::form_of(head).iterations == 3);
}

}  // namespace
}  // namespace asap::test
