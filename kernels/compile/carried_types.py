"""Numba's view of functions and objects that carry data of their own (calling/carried.py).

    FunctionType    a function, and the values that it is handed before its arguments
    ObjectType      an object: its numbers and arrays by name; its methods and properties are functions that take it

Both are tuples of their data in machine code; what they do is known from the type. The data come from the record of the
arguments (calling/arguments.py), so that objects of one class, and functions of one code, share their machine code.
Nothing can be written to: an attribute has no place, an array is read-only.
"""

from __future__ import annotations

from typing import Any

from numba.core import types
from numba.core.datamodel import models
from numba.core.datamodel.registry import register_default
from numba.core.imputils import impl_ret_borrowed, lower_builtin, lower_getattr_generic
from numba.core.registry import cpu_target
from numba.core.typing.templates import AttributeTemplate, infer_getattr

from .fingerprint import fingerprint


class Data(types.Type):
    """What travels as a tuple. `types`: of its members."""

    types: tuple

    def filled(self, compile) -> Any:
        """The type with compiled functions in place of those of Python."""
        raise NotImplementedError


class FunctionType(Data, types.Callable):
    """`code`: a function of Python, or a compiled one, whose first parameters take the members."""

    def __init__(self, code, members):
        self.code, self.types = code, tuple(members)
        super().__init__(name=f"function {fingerprint((code, self.types))[:40]}")

    def filled(self, compile):
        return FunctionType(compile(self.code), (filled(member, compile) for member in self.types))

    def get_call_type(self, context, args, kws):
        callee = types.Dispatcher(self.code)
        signature: Any = callee.get_call_type(context, (*self.types, *args), kws)
        if signature is None:
            return None
        first, parameters = len(self.types), list(signature.pysig.parameters.values())
        rest = signature.pysig.replace(parameters=parameters[first:])
        return signature.replace(args=signature.args[first:], pysig=rest, recvr=self)

    def get_call_signatures(self):
        return [], True

    def get_impl_key(self, sig):
        return FunctionType


class ObjectType(Data):
    """`fields`: the names of the members. `constants`: name -> value. All others: name -> function."""

    def __init__(self, name: str, fields, members, constants: dict, methods: dict, static: dict, properties: dict):
        self.class_name, self.fields, self.types = name, tuple(fields), tuple(members)
        self.constants, self.functions = constants, (methods, static, properties)
        content = fingerprint((self.fields, self.types, constants, *self.functions))
        super().__init__(name=f"{name} {content[:40]}")

    def filled(self, compile):
        functions = ({name: compile(function) for name, function in of.items()} for of in self.functions)
        return ObjectType(
            self.class_name, self.fields, [filled(member, compile) for member in self.types], self.constants, *functions
        )

    def find(self, attribute: str) -> tuple[str, Any] | None:
        """(what an attribute is, its type)."""
        methods, static, properties = self.functions
        if attribute in self.fields:
            return "member", self.types[self.fields.index(attribute)]
        if attribute in self.constants:
            value = self.constants[attribute]
            literal = isinstance(value, bool | int | str)
            context: Any = cpu_target.typing_context
            return "constant", types.literal(value) if literal else context.resolve_value_type(value)
        if attribute in methods:
            return "method", FunctionType(methods[attribute], (self,))
        if attribute in static:
            return "static", FunctionType(static[attribute], ())
        if attribute in properties:
            return "property", FunctionType(properties[attribute], (self,))
        return None


def filled(ty, compile):
    """A type in which all functions are compiled."""
    if isinstance(ty, Data):
        return ty.filled(compile)
    if isinstance(ty, types.BaseTuple):
        members = [filled(member, compile) for member in ty.types]  # pyright: ignore[reportAttributeAccessIssue]
        return types.BaseTuple.from_types(members, getattr(ty, "instance_class", None))
    return ty


@register_default(FunctionType)
@register_default(ObjectType)
class _AsTuple(models.StructModel):
    def __init__(self, manager, ty):
        super().__init__(manager, ty, [(f"member {k}", member) for k, member in enumerate(ty.types)])


@lower_builtin(FunctionType, FunctionType, types.VarArg(types.Any))
def _call(context, builder, signature, arguments):
    function, *rest = signature.args
    members = [builder.extract_value(arguments[0], k) for k in range(len(function.types))]
    whole = signature.replace(args=(*function.types, *rest), recvr=None)
    callee = context.get_function(types.Dispatcher(function.code), whole)
    context.add_linking_libs(getattr(callee, "libs", ()))
    return callee(builder, [*members, *arguments[1:]])


@infer_getattr
class _Attributes(AttributeTemplate):
    key = ObjectType

    def generic_resolve(self, value: Any, attr: str):  # pyright: ignore[reportIncompatibleVariableOverride]
        what, ty = value.find(attr) or ("", None)
        return ty.get_call_type(self.context, (), {}).return_type if ty is not None and what == "property" else ty


@lower_getattr_generic(ObjectType)
def _attribute(context, builder, ty, value, attribute):
    what, found = ty.find(attribute)
    if what == "member":
        member = builder.extract_value(value, ty.fields.index(attribute))
        return impl_ret_borrowed(context, builder, found, member)
    if what == "constant":
        return context.get_constant_generic(builder, found, ty.constants[attribute])
    function = context.make_tuple(builder, found, [value] if found.types else [])
    if what != "property":
        return function
    signature = found.get_call_type(context.typing_context, (), {})
    return _call(context, builder, signature.as_function(), [function])
