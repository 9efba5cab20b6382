import { language, setLanguage, t } from "../i18n";

export function LanguageSwitch() {
  const other = language.value === "zh" ? "en" : "zh";
  return (
    <button type="button" class="quiet-button language" lang={other === "zh" ? "zh-CN" : "en"} title={t("language.switch")} onClick={() => setLanguage(other)}>
      {t("language.other")}
    </button>
  );
}
