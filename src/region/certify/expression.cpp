#include "region/certify/expression.h"

#include <algorithm>

#include "base/error.h"
#include "region/target/formula.h"

namespace asap::region {
namespace {

/// A condition is 1 where it holds and 0 elsewhere.
Jet truth(bool holds) { return Jet::constant(holds ? 1 : 0); }
Jet undecided() { return {{0, 1}, Enclosure::everything(), Enclosure::everything()}; }

Jet negation(const Jet& condition) {
  return condition.value.is_point() ? truth(condition.value.low == 0) : undecided();
}

Jet less(const Enclosure& a, const Enclosure& b) {
  if (a.high < b.low) return truth(true);
  if (a.low >= b.high) return truth(false);
  return undecided();
}

Jet equal(const Enclosure& a, const Enclosure& b) {
  if (a.high < b.low || b.high < a.low) return truth(false);
  if (a.is_point() && b.is_point()) return truth(true);
  return undecided();
}

Jet conjunction(const Enclosure& a, const Enclosure& b) {
  const auto is_false = [](const Enclosure& c) { return c.is_point() && c.low == 0; };
  if (is_false(a) || is_false(b)) return truth(false);
  return a.contains(0) || b.contains(0) ? undecided() : truth(true);
}

Jet disjunction(const Enclosure& a, const Enclosure& b) {
  if (!a.contains(0) || !b.contains(0)) return truth(true);
  return a.is_point() && b.is_point() ? truth(false) : undecided();
}

Jet total(const Jet* arguments, int count) {
  Jet sum = arguments[0];
  for (int i = 1; i < count; ++i) sum = sum + arguments[i];
  return sum;
}

template <class Choice>
Jet chosen(Choice choice, const Jet* arguments, int count) {
  Jet result = arguments[0];
  for (int i = 1; i < count; ++i) result = choice(result, arguments[i]);
  return result;
}

}  // namespace

Expression::Step Expression::call(const std::string& name, int arguments) {
  if (const JetFunction function = find_jet_function(name))
    return {Operation::function, 0, function, arguments};
  static const std::vector<std::pair<const char*, Step>> known = {
      {"+", {Operation::add}},
      {"-", {Operation::subtract}},
      {"*", {Operation::multiply}},
      {"/", {Operation::divide}},
      {"^", {Operation::power}},
      {"<", {Operation::less}},
      {">", {Operation::less, 0, nullptr, 0, true}},
      {">=", {Operation::less, 0, nullptr, 0, false, true}},
      {"<=", {Operation::less, 0, nullptr, 0, true, true}},
      {"==", {Operation::equal}},
      {"!=", {Operation::equal, 0, nullptr, 0, false, true}},
      {"&&", {Operation::both}},
      {"||", {Operation::one}},
      {"select", {Operation::select}},
      {"sum", {Operation::sum}},
      {"avg", {Operation::mean}},
      {"min", {Operation::smallest}},
      {"max", {Operation::largest}}};
  for (const auto& [other, step] : known)
    if (name == other) {
      Step result = step;
      result.arguments = arguments;
      return result;
    }
  return {Operation::unknown, 0, nullptr, arguments};
}

Expression::Expression(const std::string& formula) {
  for (const FormulaStep& step : formula_steps(formula)) {
    if (step.kind == FormulaStep::Kind::number)
      steps_.push_back({Operation::number, step.number});
    else if (step.kind == FormulaStep::Kind::variable)
      steps_.push_back({Operation::variable});
    else
      steps_.push_back(call(step.name, step.arguments));
  }
}

Jet Expression::apply(const Step& step, const Jet* arguments) {
  const Jet &a = arguments[0], &b = arguments[step.arguments > 1 ? 1 : 0];
  switch (step.operation) {
    case Operation::function:
      return step.function(a);
    case Operation::select:
      return region::select(a, b, arguments[2]);
    case Operation::sum:
      return total(arguments, step.arguments);
    case Operation::mean:
      return total(arguments, step.arguments) / Jet::constant(step.arguments);
    case Operation::smallest:
      return chosen(smaller, arguments, step.arguments);
    case Operation::largest:
      return chosen(larger, arguments, step.arguments);
    case Operation::add:
      return a + b;
    case Operation::subtract:
      return a - b;
    case Operation::multiply:
      return a * b;
    case Operation::divide:
      return a / b;
    case Operation::power:
      return region::power(a, b);
    case Operation::less: {
      const Jet holds = step.reversed ? less(b.value, a.value) : less(a.value, b.value);
      return step.negated ? negation(holds) : holds;
    }
    case Operation::equal: {
      const Jet holds = equal(a.value, b.value);
      return step.negated ? negation(holds) : holds;
    }
    case Operation::both:
      return conjunction(a.value, b.value);
    case Operation::one:
      return disjunction(a.value, b.value);
    default:
      return Jet::unknown();
  }
}

Jet Expression::on(Enclosure x) const {
  std::vector<Jet> stack;
  stack.reserve(steps_.size());
  for (const Step& step : steps_) {
    if (step.operation == Operation::number) {
      stack.push_back(Jet::constant(step.number));
    } else if (step.operation == Operation::variable) {
      stack.push_back(Jet::variable(x));
    } else {
      const std::size_t first = stack.size() - static_cast<std::size_t>(step.arguments);
      stack[first] = apply(step, stack.data() + first);
      stack.resize(first + 1);
    }
  }
  base::check(stack.size() == 1, "Expression: the steps leave no single value");
  return stack.front();
}

}  // namespace asap::region
