"""What bulk enrolment refuses."""

from yinxin.errors import Conflict, Invalid, NotFound, NotPermitted, Unavailable


class BadTable(Invalid):
    """A CSV file that cannot be read as a whole."""

    code = "ca.bad_table"
    zh = "文件 {file} 无法作为名册读取（{reason}）：请按手册的列名另存为 UTF-8 或 GB 18030 编码的 CSV，未做任何更改。"
    en = "The file {file} cannot be read as a list ({reason}): save it as CSV in UTF-8 or GB 18030 with the manual's column names; nothing was changed."


class BadRow(Invalid):
    """A row with a field that is missing or wrong."""

    code = "ca.bad_row"
    zh = "{field} 有误（{reason}）：请更正该行。"
    en = "{field} is wrong ({reason}): correct the row."


class RowTwice(Conflict):
    """The same reference, or the same holder and profile, in two rows."""

    code = "ca.row_twice"
    zh = "与第 {row} 行重复：请删去其中一行。"
    en = "It repeats row {row}: remove one of the two."


class RowsRefused(Invalid):
    """Some rows were refused; the report says which and why."""

    code = "ca.rows_refused"
    zh = "{refused} 行未获签发：请查看报告，更正后用新文件再次执行。"
    en = "{refused} rows were refused: read the report, correct them and run the new file."


class RowsPending(Unavailable):
    """Some rows could not be carried out now."""

    code = "ca.rows_pending"
    zh = "{pending} 行暂未完成：请稍后用同一文件再次执行，已完成的不会重复。"
    en = "{pending} rows are not done yet: run the same file again later; what is done is not done twice."


class RowNeedsCommand(Invalid):
    """A row of a list handed in without a folder that asks for a file beside it, or for a key that the platform makes."""

    code = "ca.row_needs_command"
    zh = "csr 为“{asked}”，不是 PEM 格式的证书请求：请把请求全文写在单元格中；文件名和 p12 只能用命令 yinxin ca enrol 办理。"
    en = "csr is '{asked}' and no request in PEM: put the whole request into the cell; names of files and p12 are for the command yinxin ca enrol."


class ListNeedsCommand(Invalid):
    """A list that only the command can enrol as it stands."""

    code = "ca.list_needs_command"
    zh = "名册有 {rows} 行须用命令办理：请用同一文件执行 yinxin ca enrol，或把证书请求写进单元格后重新提交名册。"
    en = "{rows} rows of the list are for the command: run yinxin ca enrol with the same file, or put the requests into the cells and hand the list in again."


class RowRefusedBefore(Conflict):
    """A row that would go now, and was refused for good when the very same file was enrolled."""

    code = "ca.row_refused_before"
    zh = "同一文件先前办理时，该行已被拒绝（{reason}）：如已更正，请改动文件（哪怕只加一个空行）后重新提交，已签发的不会重复。"
    en = "This row was refused when this very file was enrolled before ({reason}): if that is mended, change the file, were it by an empty line, and hand it in again; what was issued is not issued twice."


class NothingToEnrol(Invalid):
    """A list of which every row would be refused."""

    code = "ca.nothing_to_enrol"
    zh = "名册中没有可签发的行：请按报告更正后重新提交名册。"
    en = "No row of the list can be enrolled: correct them by the report and hand the list in again."


class UnknownList(NotFound):
    """No list of this identifier."""

    code = "ca.unknown_list"
    zh = "没有编号为 {list} 的名册：请在批量注册页核对。"
    en = "There is no list {list}: see the page of bulk enrolment."


class NotYourList(NotPermitted):
    """Somebody else's list, which is enrolled in the name of whoever handed it in."""

    code = "ca.not_your_list"
    zh = "名册 {list} 不是您提交的，只能由提交人开始：如需签发，请自行提交名册。"
    en = "List {list} was not handed in by you, and only whoever did starts it: hand the list in yourself to enrol it."


class WrongListState(Conflict):
    """The list does not stand where the act would begin."""

    code = "ca.wrong_list_state"
    zh = "名册 {list} 现在不能这样办理：请刷新页面查看状态。"
    en = "This cannot be done to list {list} now: reload its page and see its state."


class ListsBusy(Unavailable):
    """Another list is being judged in this process."""

    code = "ca.lists_busy"
    zh = "正在检查另一份名册：请过一两分钟再提交。"
    en = "Another list is being checked: hand yours in again in a minute or two."
